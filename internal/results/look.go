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

// Sums are exact: integers, y scaled by 10^decimals.
type Sums struct {
	N, NonZero, Over int64
	Sum, SumSquares  *big.Int
}

// Moments is the answer of one query: the cells and, per shard, the position of
// the ledger that they stand for. The vector is the look's identity.
type Moments struct {
	Vector map[uint16]uint64 // shard → greatest seq of the rows read
	Config map[uint16]uint32 // shard → configuration version of its last mark
	Cells  []Cell
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
