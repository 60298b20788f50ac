package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// VerifySpec says what to verify and how.
type VerifySpec struct {
	Experiment string // its key; empty: all
	// Slice is about how many events one query recounts; 0 is a good number. Memory
	// is bounded by it, whatever the size of a shard.
	Slice    uint64
	Progress func(VerifyProgress) // nil: nobody asks
}

// VerifyProgress is how far a verification has come.
type VerifyProgress struct {
	Shard  uint16
	Step   string // what is done of the shard
	Done   int    // steps
	Steps  int
	Events uint64 // of the shard

	ShardsDone, Shards int
}

// Share is how much of all work is done, 0..1, if all shards take as long.
func (p VerifyProgress) Share() float64 {
	return (float64(p.ShardsDone) + float64(p.Done)/float64(max(p.Steps, 1))) / float64(max(p.Shards, 1))
}

// Verification is what a verification found. Everything that is not as it must be
// stands in one of its lists, by name.
type Verification struct {
	Shards         []VerifiedShard        `json:"shards"`
	Cells          []CellDifference       `json:"cells"`          // sums that the events do not give
	Fates          []FateDifference       `json:"fates"`          // counts of the marks that the stored events do not give
	Lacking        []LackingRows          `json:"lacking"`        // ranges of offsets with other rows than were counted
	Clashes        []Clash                `json:"clashes"`        // places that are stored with two contents
	Reconciliation []ReconcileDifference  `json:"reconciliation"` // offsets without a fate
	Chain          []BrokenChain          `json:"chain"`          // shards whose parts are not 1, 2, 3 …
	Projections    []ProjectionDifference `json:"projections"`    // sums that a projection gives and the rows do not
	Closed         []ClosedIteration      `json:"closed"`         // what can no longer be recomputed
}

// VerifiedShard is how much of a shard was looked at.
type VerifiedShard struct {
	Shard     uint16    `json:"shard"`
	Seq       uint64    `json:"seq"`        // the mark up to which it was recounted
	Version   uint32    `json:"version"`    // the configuration under which it stands
	WrittenAt time.Time `json:"written_at"` // of that mark
	Events    uint64    `json:"events"`     // stored below it
	Cells     int       `json:"cells"`      // sums that were compared
}

// FateDifference is a count of the marks that the stored events do not give.
type FateDifference struct {
	Shard    uint16 `json:"shard"`
	Topic    string `json:"topic"`
	Fate     string `json:"fate"`
	Expected int64  `json:"expected"` // by the stored events
	Found    int64  `json:"found"`    // in the marks
}

// LackingRows is a range of offsets that has other rows than its mark counted;
// negative numbers are rows too many.
type LackingRows struct {
	Shard  uint16 `json:"shard"`
	Topic  string `json:"topic"`
	From   int64  `json:"from"`
	Next   int64  `json:"next"`
	Seq    uint64 `json:"seq"`
	Events int64  `json:"events"`
	Dead   int64  `json:"dead"`
}

// Clash is a place that is stored with several contents.
type Clash struct {
	Shard    uint16 `json:"shard"`
	Topic    string `json:"topic"`
	Offset   int64  `json:"offset"`
	Contents uint64 `json:"contents"`
}

// ReconcileDifference is a topic of a shard whose offsets have not one fate each.
type ReconcileDifference struct {
	Shard      uint16 `json:"shard"`
	Topic      string `json:"topic"`
	From       int64  `json:"from"`
	Next       int64  `json:"next"`
	Difference int64  `json:"difference"` // offsets minus fates
	Breaks     uint64 `json:"breaks"`     // parts that do not begin where the one before ended
}

// BrokenChain is a [ChainFault] in words.
type BrokenChain struct {
	Shard   uint16 `json:"shard"`
	Problem string `json:"problem"`
}

// ClosedIteration is an iteration that the kept events do not cover.
type ClosedIteration struct {
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"` // 0: exposures that belong to none
	Since      time.Time `json:"not_recomputable_since"`
}

// Differences is the number of things that are not as they must be.
func (v *Verification) Differences() int {
	return len(v.Cells) + len(v.Fates) + len(v.Lacking) + len(v.Clashes) +
		len(v.Reconciliation) + len(v.Chain) + len(v.Projections)
}

// Verify recounts everything from the stored events, in SQL that shares nothing
// with the consumer, and compares to the last bit. Consumers may go on meanwhile:
// each shard is looked at up to its mark of the moment.
func (db *DB) Verify(ctx context.Context, spec VerifySpec) (*Verification, error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return nil, err
	}
	v := &verifier{db: db, spec: spec, versions: map[uint32]*experiment.Version{}}
	if err := v.chains(ctx); err != nil {
		return nil, fmt.Errorf("verify the chains: %w", err)
	}
	shards, err := db.shards(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the shards: %w", err)
	}
	for i, shard := range shards {
		v.progress = VerifyProgress{ShardsDone: i, Shards: len(shards)}
		if err := v.shard(ctx, shard); err != nil {
			return nil, fmt.Errorf("verify shard %d: %w", shard, err)
		}
	}
	v.close()
	return &v.found, nil
}

// verifier is a verification under way.
type verifier struct {
	db       *DB
	spec     VerifySpec
	versions map[uint32]*experiment.Version
	found    Verification
	progress VerifyProgress
}

// step tells how far it is.
func (v *verifier) step(what string) {
	v.progress.Step = what
	if v.spec.Progress != nil {
		v.spec.Progress(v.progress)
	}
	v.progress.Done++
}

func (v *verifier) chains(ctx context.Context) error {
	faults, err := v.db.CheckChain(ctx)
	for _, f := range faults {
		v.found.Chain = append(v.found.Chain, BrokenChain{f.Shard, f.String()})
	}
	return err
}

// version reads a version of the configuration once. Number 0 has no experiments.
func (v *verifier) version(ctx context.Context, number uint32) (*experiment.Version, error) {
	if known := v.versions[number]; known != nil {
		return known, nil
	}
	version := experiment.Version{}
	if number > 0 {
		var err error
		if version, err = v.db.VersionAt(ctx, number); err != nil {
			return nil, err
		}
	}
	v.versions[number] = &version
	return &version, nil
}
