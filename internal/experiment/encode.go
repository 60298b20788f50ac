package experiment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Encode gives the canonical text of a version: JSON with its fields in one
// order, so that equal versions are equal bytes.
func Encode(v *Version) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		// Only NaN, infinities and years beyond 9999 cannot be written, and no valid
		// version holds them.
		panic(fmt.Sprintf("encode version %d: %v", v.Number, err))
	}
	return b
}

// Decode reads what Encode wrote. A field that it does not know is an error: a
// version of a newer program may count by it.
func Decode(b []byte) (*Version, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	v := &Version{}
	if err := d.Decode(v); err != nil {
		return nil, fmt.Errorf("decode version: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("decode version %d: more than one value", v.Number)
	}
	if err := v.Validate(); err != nil {
		return nil, fmt.Errorf("decode version %d: %w", v.Number, err)
	}
	return v, nil
}

// Hash is the SHA-256 of what a version says, in hex, without its number, time,
// author and reason: equal hashes mean that nothing changed.
func Hash(v *Version) string {
	content := *v
	content.Number, content.AppliedAt, content.Author, content.Login, content.Reason = 0, time.Time{}, "", "", ""
	sum := sha256.Sum256(Encode(&content))
	return hex.EncodeToString(sum[:])
}

// clone copies a version through its canonical text, so that nothing is shared
// with the original and every field has its canonical form.
func (v *Version) clone() *Version {
	out := &Version{}
	if err := json.Unmarshal(Encode(v), out); err != nil {
		panic(fmt.Sprintf("clone version %d: %v", v.Number, err))
	}
	return out
}

// cloneFor is a copy of which one experiment may be changed. The others are those of v,
// of which there may be a thousand: a kill waits for this.
func (v *Version) cloneFor(key string) *Version {
	out := *v
	out.Experiments = slices.Clone(v.Experiments)
	for i := range out.Experiments {
		if out.Experiments[i].Key == key {
			out.Experiments[i] = (&Version{Experiments: v.Experiments[i : i+1]}).clone().Experiments[0]
		}
	}
	return &out
}
