package kafka

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/ingest"
)

// What becomes of exposures by what their records prove.
const (
	VerifyAccept  = "accept"  // they are stored with what they prove
	VerifyRequire = "require" // those whose proof does not hold are dead letters
)

// verifyPrefix begins the word that a decoding's list of attributes has for it: how a
// record is read stands in one place, with the offset from which it holds. No attribute
// of that name is ever kept.
const verifyPrefix = "$verify:"

// withVerify adds the word; the list stays sorted, a dollar comes first.
func withVerify(attributes []string, verify string) []string {
	if verify == "" {
		return attributes
	}
	return slices.Insert(slices.Clone(attributes), 0, verifyPrefix+verify)
}

// cutVerify takes it out again.
func cutVerify(list []string) (attributes []string, verify string) {
	for _, a := range list {
		if v, ok := strings.CutPrefix(a, verifyPrefix); ok {
			verify = v
		} else {
			attributes = append(attributes, a)
		}
	}
	return attributes, verify
}

// prover is who says what the records of a topic prove; nil where nobody is asked.
func (c *Config) prover(topic, verify string) (ingest.Prover, error) {
	switch {
	case verify == "":
		return nil, nil
	case c.Prove == nil:
		return nil, fmt.Errorf("topic %s is read with proofs (%s), and there is no key to hold them against: name the keys below verification in the configuration", topic, verify)
	}
	return c.Prove, nil
}
