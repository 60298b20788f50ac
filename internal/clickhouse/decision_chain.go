package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
)

// genesis is what the first decision carries for a hash before it.
const genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// digest is the hexadecimal SHA-256 over every field but Hash, each with its
// length before it so that no two decisions have the same encoding.
func (d *Decision) digest() string {
	b := []byte("assay decision 1")
	for _, n := range []uint64{d.Seq, uint64(d.At.UnixMilli()), uint64(d.Iteration), uint64(d.Config)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, s := range []string{
		d.Experiment, d.Guardrail, d.Arm, d.Kind, d.Verdict, d.Reason, d.Actor,
		d.Look, d.Code, string(d.Evidence), d.PrevHash,
	} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// DecisionChain is what was found of the decision log.
type DecisionChain struct {
	Decisions uint64 `json:"decisions"`
	Head      string `json:"head,omitempty"`     // hash of the last one
	Anchored  uint64 `json:"anchored,omitempty"` // the decision whose hash was given: up to it all is as it was
}

// ErrNoSuchHead says that no decision has the hash that was given.
var ErrNoSuchHead = errors.New("no decision has the given hash")

// VerifyDecisions recomputes every hash of the stored log. See VerifyChain.
func (db *DB) VerifyDecisions(ctx context.Context, head string) (DecisionChain, error) {
	var v chainVerifier
	begin := func() { v = newChainVerifier(head) }
	if err := db.decisions(ctx, DecisionFilter{}, begin, v.add); err != nil {
		return v.chain, err
	}
	return v.end()
}

// VerifyChain recomputes the hashes of a whole log in its order. The error names the
// first decision that does not fit: it or its evidence was changed, one before it was
// taken out, one was put in, or the order is another. A log that lost its end, and one
// that was written anew with new hashes, is a sound chain by itself; only a head from
// outside of it (of an alert, a report, the topic) that it no longer has betrays that.
func VerifyChain(log iter.Seq[*Decision], head string) (DecisionChain, error) {
	v := newChainVerifier(head)
	for d := range log {
		v.add(d)
	}
	return v.end()
}

// chainVerifier takes the decisions one by one.
type chainVerifier struct {
	head  string
	last  lastDecision
	chain DecisionChain
	fault error // the first
}

func newChainVerifier(head string) chainVerifier {
	return chainVerifier{head: head, last: lastDecision{hash: genesis}}
}

func (v *chainVerifier) add(d *Decision) {
	if v.fault == nil {
		v.fault = d.follows(v.last)
	}
	// What comes after a fault vouches for nothing before it.
	if v.fault == nil && d.Hash == v.head {
		v.chain.Anchored = d.Seq
	}
	v.last = lastDecision{d.Seq, d.Hash}
	v.chain.Decisions++
	v.chain.Head = d.Hash
}

func (v *chainVerifier) end() (DecisionChain, error) {
	switch {
	case v.fault != nil && v.chain.Anchored > 0:
		return v.chain, fmt.Errorf("%w; decisions 1 to %d, up to the given hash, are as they were", v.fault, v.chain.Anchored)
	case v.fault != nil:
		return v.chain, v.fault
	case v.head != "" && v.chain.Anchored == 0:
		return v.chain, fmt.Errorf("%w: the log lost its end, or was written anew; its %d decisions fit one another", ErrNoSuchHead, v.chain.Decisions)
	}
	return v.chain, nil
}

// follows tells whether a decision is the untouched successor of last.
func (d *Decision) follows(last lastDecision) error {
	switch {
	case d.Seq == last.seq:
		return fmt.Errorf("decision %d is there twice", d.Seq)
	case d.Seq != last.seq+1:
		return fmt.Errorf("decision %d follows decision %d: what was between them is gone", d.Seq, last.seq)
	case d.PrevHash != last.hash:
		return fmt.Errorf("decision %d does not carry the hash of decision %d", d.Seq, last.seq)
	case d.Hash != d.digest():
		return fmt.Errorf("decision %d was changed after it was written", d.Seq)
	}
	return nil
}
