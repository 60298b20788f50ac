package results

import (
	"math/big"
	"time"
)

// Cell is one group of moments as the look's query returns it: all slots of one
// (iteration, phase, settling, variant, metric), in all or only in matured slots.
type Cell struct {
	Experiment string
	Iteration  uint32
	Phase      uint16
	Settling   bool
	Variant    string
	Metric     string // a metric's name, or one of the join's counters ($units …)
	Dimension  string // "" for all units
	Value      string
	Open       Sums // all slots
	Matured    Sums // slots whose end + window ≤ the maturity horizon
	Newest     time.Time
}

// Sums are exact: integers, y scaled by 10^decimals, z (of a ratio) by 10^(its
// decimals). A nil is 0.
type Sums struct {
	N, NonZero, Over int64
	Sum, SumSquares  *big.Int

	// Of ratios; 0 for other kinds.
	SumDenominator, SumSquaresDenominator, SumProduct *big.Int
}

// NewSums returns sums of nothing, to add to.
func NewSums() Sums {
	return Sums{
		Sum: new(big.Int), SumSquares: new(big.Int),
		SumDenominator: new(big.Int), SumSquaresDenominator: new(big.Int), SumProduct: new(big.Int),
	}
}

// Add adds o to s, which NewSums made.
func (s *Sums) Add(o Sums) {
	s.N, s.NonZero, s.Over = s.N+o.N, s.NonZero+o.NonZero, s.Over+o.Over
	s.each(o, (*big.Int).Add)
}

// Plus is s + o, and o itself where s is nothing.
func (s Sums) Plus(o Sums) Sums {
	if s == (Sums{}) {
		return o
	}
	out := NewSums()
	out.Add(s)
	out.Add(o)
	return out
}

// Equal tells whether all sums are the same numbers.
func (s Sums) Equal(o Sums) bool {
	if s.N != o.N || s.NonZero != o.NonZero || s.Over != o.Over {
		return false
	}
	difference := NewSums()
	difference.Add(s)
	difference.Sub(o)
	for _, v := range difference.bigs() {
		if v.Sign() != 0 {
			return false
		}
	}
	return true
}

// Sub takes o from s, which NewSums made.
func (s *Sums) Sub(o Sums) {
	s.N, s.NonZero, s.Over = s.N-o.N, s.NonZero-o.NonZero, s.Over-o.Over
	s.each(o, (*big.Int).Sub)
}

func (s *Sums) each(o Sums, do func(z, x, y *big.Int) *big.Int) {
	others := o.bigs()
	for i, v := range s.bigs() {
		if w := others[i]; w != nil {
			do(v, v, w)
		}
	}
}

func (s *Sums) bigs() [5]*big.Int {
	return [5]*big.Int{s.Sum, s.SumSquares, s.SumDenominator, s.SumSquaresDenominator, s.SumProduct}
}

// Moments is the answer of one query: the cells and, per shard, the position of
// the ledger that they stand for. The vector is the look's identity.
type Moments struct {
	Vector map[uint16]uint64 // shard → greatest seq of the rows read
	Config map[uint16]uint32 // shard → configuration version of its last mark
	Cells  []Cell
}

// ByExperiment takes the cells apart in one pass. A look at each of many experiments
// would else search through the cells of all.
func (m Moments) ByExperiment() map[string][]Cell {
	parts := map[string][]Cell{}
	for i := range m.Cells {
		key := m.Cells[i].Experiment
		parts[key] = append(parts[key], m.Cells[i])
	}
	return parts
}

// ShardStatus is what the consumer of a shard last said about itself.
type ShardStatus struct {
	Shard     uint16
	Seq       uint64    // everything up to this part was committed when Freshness held
	Freshness time.Time // least over the shard's partitions: now when read to the end, else the next record's timestamp
	Config    uint32
	State     string // "ok", or why the shard stands still: "gap", "partitions", "chain", "misplaced" …
	Detail    string
	At        time.Time // when it was said
}
