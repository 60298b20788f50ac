package ingest

import "github.com/assay-dev/assay/internal/experiment"

// Joiner is the state of one shard. It is not safe for concurrent use.
//
// The order of calls is: NewJoiner with the version of the shard's last mark,
// Restore for every stored row below the watermark, then Add in the order of the
// log, with Adopt and Take between batches.
type Joiner struct{}

// NewJoiner returns an empty shard under a version (nil: without experiments).
// The topics are the shard's, sorted by name: their order breaks ties.
func NewJoiner(topics []string, version *experiment.Version) *Joiner { return &Joiner{} }

// Add takes the next record of the log: it decides whether the record is a
// duplicate and adds what it changes to the deltas. Within a topic records come
// in the order of their offsets, each place once.
func (j *Joiner) Add(e *Event) Fate { return Accepted }

// Restore brings a stored row back without any delta. Rows come sorted by
// (unit, t, topic, offset); repeated places, duplicates and misplaced rows may be
// among them and are recognised.
func (j *Joiner) Restore(e *Event) {}

// Adopt goes over to another version and adds to the deltas exactly the
// difference between the sums under the new version and those under the old one.
// It tells whether anything that counting depends on is different; when it is
// not, there are no deltas. Call it with no deltas waiting, so that the
// difference can be a part of its own.
func (j *Joiner) Adopt(v *experiment.Version) (changed bool) { return false }

// Take returns the deltas accumulated since the last call, without zero rows, in
// a fixed order, and clears them.
func (j *Joiner) Take() []Row { return nil }

// Units returns how many units are in memory.
func (j *Joiner) Units() int { return 0 }

// Bytes returns the memory that the state occupies.
func (j *Joiner) Bytes() int64 { return 0 }
