package kafka

import (
	"context"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Store is what a consumer needs of the tables. It is used by several goroutines
// at once. Transient faults are retried inside; an error that comes back makes
// the shard start again from its last mark.
type Store interface {
	Ledger
	Events
	Erasures
	Versions
	Decodings
	Statuses
}

// Ledger is what was counted.
type Ledger interface {
	// LastMark is where a shard stands; Seq is 0 when it never had a part.
	LastMark(ctx context.Context, shard uint16) (Mark, error)
	// AppendPart writes the shard's next part exactly once, or says that it is
	// Lost. Counts.Topic is an index into topics.
	AppendPart(ctx context.Context, topics []Topic, part ingest.Part) (Appended, error)
	// CheckChain returns what is wrong with some shards; empty when nothing is.
	CheckChain(ctx context.Context, shards []uint16) (map[uint16]string, error)
	// Ends is the last part of each of some shards that has one.
	Ends(ctx context.Context, shards []uint16) (map[uint16]uint64, error)
	// Reconciled adds up, by shard and topic, what the marks say.
	Reconciled(ctx context.Context) ([]Reconciled, error)
}

// Events is what was read.
type Events interface {
	// AppendEvents stores records of one shard; writing them again changes
	// nothing. Place.Topic is an index into topics.
	AppendEvents(ctx context.Context, shard uint16, topics []string, events []ingest.Event, dead []ingest.Dead) error
	// NewRows begins the rows of one insert into the events of a shard.
	NewRows(shard uint16, topics []string) Rows
	// EventsBelow hands over the shard's stored events below these offsets,
	// sorted by unit, t, topic and offset. Place.Topic is an index into the
	// sorted names of next. The event is reused. All come from one run of the server.
	EventsBelow(ctx context.Context, shard uint16, next map[string]int64, fn func(*ingest.Event) error) error
	// UnitsStored hands over the units that have stored events of the shard, also of
	// events above all marks. One may come many times.
	UnitsStored(ctx context.Context, shard uint16, fn func(ingest.Unit)) error
	// EventsOf hands over those of some units only, in the same way.
	EventsOf(ctx context.Context, shard uint16, units []ingest.Unit, next map[string]int64, fn func(*ingest.Event) error) error
	// EventsRecent hands over those of units that have a record which is less than so
	// much older than the newest below these offsets, in the same way, and maybe others.
	EventsRecent(ctx context.Context, shard uint16, next map[string]int64, within time.Duration, fn func(*ingest.Event) error) error
	// EventsSeen hands over those of units that have an exposure of one of these
	// experiments, in the same way, and maybe others.
	EventsSeen(ctx context.Context, shard uint16, experiments []string, next map[string]int64, fn func(*ingest.Event) error) error
	// Missing returns the ranges whose records were counted and are not stored: of
	// all marks that were never compared, and at least of so many of the last ones.
	Missing(ctx context.Context, shard uint16, marks int) ([]Range, error)
	// Proved notes that nothing up to a part is missing.
	Proved(ctx context.Context, shard uint16, seq uint64) error
	// Run is the present run of the server that holds the shard's rows.
	Run(ctx context.Context, shard uint16) (Run, error)
	// NoteLosses writes down what no mark can say; writing it again changes nothing.
	NoteLosses(ctx context.Context, shard uint16, losses []Loss) error
}

// Erasures are the requests to forget units. Their numbers are those of the decision
// log; a version names the last one that holds.
type Erasures interface {
	// Suppressed returns the requests with numbers in (after, upTo], in order.
	Suppressed(ctx context.Context, after, upTo uint64) ([]Suppression, error)
	// NoteAdjustments writes down what units gave to the sums of a shard that stay,
	// before the part that adopts their erasure; writing it again changes nothing.
	NoteAdjustments(ctx context.Context, shard uint16, adjustments []Adjustment) error
	// CarriedOut is up to which request a shard's rows are counted as erased: from
	// there on they are deleted, and must not be stored again.
	CarriedOut(ctx context.Context, shard uint16) (request uint64, err error)
}

// Suppression is a request to forget units.
type Suppression struct {
	Request uint64
	Retract bool // what they gave is taken back; else the sums stay
	Units   []ingest.Unit
}

// Adjustment is what units that are forgotten had given before a part.
type Adjustment struct {
	Seq     uint64 // the part that adopts the request
	Request uint64
	Rows    []ingest.Row
}

// Rows gathers events for one insert: they are encoded as they come, so that a
// large batch need not hold them.
type Rows interface {
	// Add takes events; Place.Topic is an index into the topics. It keeps nothing
	// of them but strings that are the same in many.
	Add(events []ingest.Event)
	Len() int
	// Append stores what was added; doing it again changes nothing.
	Append(ctx context.Context) error
	// Reset makes it empty, to be used again.
	Reset()
}

// Versions are the states of the configuration.
type Versions interface {
	// VersionNumber is the number of the last version; 0 without one.
	VersionNumber(ctx context.Context) (uint32, error)
	// VersionAt is the version of that number.
	VersionAt(ctx context.Context, number uint32) (experiment.Version, error)
}

// Statuses is what consumers say of their shards.
type Statuses interface {
	WriteStatus(ctx context.Context, statuses []results.ShardStatus) error
}

// Topic is a source topic as a mark names it. A topic that was deleted and made
// again has another ID, and its old offsets mean nothing.
type Topic struct {
	Name string
	ID   [16]byte // zero when the broker gives none
}

// Mark is where a shard stands.
type Mark struct {
	Seq    uint64
	Config uint32      // configuration version
	Topics []TopicMark // every topic that ever had offsets, by name
	// Partitions is under how many of them the ledger was begun, by any shard; 0:
	// nobody has written yet.
	Partitions uint32
}

// TopicMark is the position in one topic's partition.
type TopicMark struct {
	Topic
	Next int64 // everything below was counted
	// Epoch is the leader epoch of the last record, plus one; 0: not known.
	Epoch int32
}

// Range is a stretch [From, Next) of one topic's partition that one part counted.
type Range struct {
	Topic      string
	From, Next int64
	ID         [16]byte // of the topic when it was counted; zero when the broker gave none
	Seq        uint64   // the part
	Config     uint32   // version under which it was counted
	Records    uint64   // how many lack
	Decode     uint32   // number of the decoding under which it was read; 0: none was named
}

// Loss is a stretch of records that are in no number and of which no mark can say so.
type Loss struct {
	Kind       LossKind
	Topic      string
	From, Next int64
	Seq        uint64 // the part that it belongs to
	Records    uint64 // how many at most
	Until      time.Time
}

// LossKind is how records were lost.
type LossKind string

// The kinds of loss.
const (
	LostBefore   LossKind = "before"   // deleted before the topic was first read
	LostUnstored LossKind = "unstored" // counted, then lost from the store and from Kafka
	LostReplaced LossKind = "replaced" // another log stands at places that were counted
)

// Appended is what became of a part.
type Appended uint8

// The outcomes of an append; the zero value comes with an error.
const (
	Unknown   Appended = iota
	Committed          // the part is durable
	Lost               // the shard's next part is another one: memory is worth nothing
)
