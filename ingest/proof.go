package ingest

// Verified is the attribute that says what a record proves of its exposure. Producers
// cannot send one of that name.
const Verified = "$verified"

// Proof is what a record proves of its exposure.
type Proof string

// The proofs.
const (
	ProofHolds      Proof = "verified"
	ProofNone       Proof = "unverified" // it carries neither a signature nor a token
	ProofForged     Proof = "forged"     // by a key that is not known, or not of this record
	ProofExpired    Proof = "expired"    // the token did not hold at the event's time
	ProofMismatched Proof = "mismatched" // the token is of another unit, variant or attribute
)

// Prover says what the headers of a record prove of the exposure that was read from it.
type Prover func(rec *Record, e *Event, unit []byte) Proof

// Prove lets the decoder write down what exposures' records prove. With require an
// exposure whose proof does not hold is a dead letter.
func (d *Decoder) Prove(p Prover, require bool) { d.prover, d.proven = p, require }

// Signed is what a signature is of: the record's value as it was written.
func (r *Record) Signed() []byte {
	if r.Written != nil {
		return r.Written
	}
	return r.Value
}

// Header is the value of the first header of that name.
func (r *Record) Header(key string) ([]byte, bool) { return header(r.Headers, key) }

// prove asks the prover about an exposure.
func (d *Decoder) prove(rec *Record, e *Event) fault {
	if d.prover == nil || e.Type != Exposure {
		return fault{}
	}
	p := d.prover(rec, e, d.pair[len(e.UnitKind)+1:])
	if d.proven && p != ProofHolds {
		return fault{Reason(p), -1, refusals[p]}
	}
	list := d.slab.list(len(e.Attrs) + 1)
	at := 0
	for at < len(e.Attrs) && e.Attrs[at].Name < Verified {
		at++
	}
	list = append(append(append(list, e.Attrs[:at]...), Attr{Name: Verified, Value: string(p)}), e.Attrs[at:]...)
	e.Attrs = list
	return fault{}
}

// refusals say of each proof that does not hold why the record is dead.
var refusals = map[Proof]string{
	ProofNone:       "it carries no signature, and its topic requires one",
	ProofForged:     "its signature is none of a key that is known",
	ProofExpired:    "its token did not hold at the time of the event",
	ProofMismatched: "its token is of another unit, variant or attribute",
}

// proved tells whether what is said of the unit may be believed.
func proved(attrs []byte) bool {
	v, ok := attr(attrs, Verified)
	return ok && string(v) == string(ProofHolds)
}

// believed are the attributes that a design goes by: where it wants verified ones, none
// of an exposure that proves nothing. What assay itself wrote down stays.
func (d *design) believed(attrs []byte) []byte {
	if !d.verified || proved(attrs) {
		return attrs
	}
	return ownAttrs(attrs)
}

// ownAttrs cuts off what producers sent: a dollar sorts before every letter.
func ownAttrs(attrs []byte) []byte {
	for rest := attrs; len(rest) > 0; {
		name, after := cut(rest)
		if len(name) == 0 || name[0] != '$' {
			return attrs[:len(attrs)-len(rest)]
		}
		_, rest = cut(after)
	}
	return attrs
}
