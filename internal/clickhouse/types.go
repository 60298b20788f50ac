package clickhouse

import (
	"encoding/json"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// Topic is a source topic as a mark names it. A topic that was deleted and made
// again has another ID, and its old offsets mean nothing.
type Topic struct {
	Name string
	ID   [16]byte // Kafka's topic id; zero when the broker gives none
}

// Appended is what became of a part.
type Appended uint8

// The outcomes of [DB.AppendPart]; the zero value comes with an error.
const (
	Unknown   Appended = iota // ask again after a reload
	Committed                 // the part is in the ledger, written by this call
	Lost                      // the shard's next part is another one: drop memory, read the last mark
)

// Mark is where a shard stands.
type Mark struct {
	Shard     uint16
	Seq       uint64 // 0: the shard has no part yet
	Attempt   uint64 // who wrote it
	Config    uint32
	Code      string
	WrittenAt time.Time
	Topics    []TopicMark // every topic that ever had offsets, by name
	// Partitions is the number under which the parts of any shard were written, so
	// that also a shard without parts has it; 0: not known.
	Partitions uint32
}

// TopicMark is the position in one topic's partition.
type TopicMark struct {
	Topic
	Next int64 // everything below was counted
	// Epoch is Kafka's leader epoch of the last record, plus one; 0: not known.
	Epoch int32
}

// StoredEvent is an event with what the table knows about it.
type StoredEvent struct {
	ingest.Event
	Topic string
	Shard uint16
}

// Place is where a record stands, by topic name.
type Place struct {
	Topic  string
	Shard  uint16
	Offset int64
}

// Lacking is a range of offsets whose records were counted and are not stored.
type Lacking struct {
	Topic        string
	From, Next   int64
	Decode       uint32 // version of the decoding under which they were read; 0: none was named
	Seq          uint64 // the part that counted them
	Events, Dead int64  // rows that lack
	ID           [16]byte
	Config       uint32 // configuration version under which they were counted
}

// DecodedRange is a stretch of one topic's partition that one part stands for.
type DecodedRange struct {
	From, Next int64
	Decode     uint32 // version of the decoding under which it was read; 0: none was named
	Config     uint32 // configuration version under which it was read
}

// Decoding is how the records of a topic are read, from some offset on.
type Decoding struct {
	Number     uint32 // from 1 without gaps, over all topics
	Topic      string
	Mapping    string   // text of the mapping file; empty: native events
	Attributes []string // that are kept, sorted
}

// ChainFault is a shard whose ledger is not the chain that it must be. Nothing
// of that shard may be believed.
type ChainFault struct {
	Shard    uint16
	Seq      uint64 // greatest
	Marks    uint64 // differs from Seq when parts lack or are doubled
	Distinct uint64 // different seq
	Attempts uint64 // different (seq, attempt)
	Rows     uint64 // rows that are there
	Declared uint64 // rows that the marks declare
}

// Reconciliation is what the marks of one shard say of one topic.
type Reconciliation struct {
	Shard      uint16
	Topic      string
	Parts      uint64 // parts with offsets of the topic
	From, Next int64  // the whole range
	ingest.Counts
	Difference int64  // offsets minus fates, summed by size: 0 when everything is accounted for
	Breaks     uint64 // parts that do not begin where the one before ended
}

// MomentsSpec asks for one iteration of one experiment.
type MomentsSpec struct {
	Experiment string
	Iteration  uint32
	// Matured gives, by metric, the time before which a slot must start to
	// count as matured. A metric without one has no matured sums.
	Matured    map[string]time.Time
	Dimensions bool // the cells of dimensions too
}

// SlotRow is one slot of one cell, for plots over time.
type SlotRow struct {
	Phase    uint16
	Settling bool
	Variant  string
	Metric   string
	Slot     time.Time
	ingest.Delta
}

// VersionHead is a configuration version without its experiments.
type VersionHead struct {
	Number    uint32
	AppliedAt time.Time
	Author    string
	Reason    string
	Hash      string // SHA-256 of the experiments, hexadecimal
}

// Decision is one row of the decision log.
type Decision struct {
	Seq        uint64    `json:"seq"` // 0 in a new one: after whatever is last
	At         time.Time `json:"at"`  // milliseconds
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	Guardrail  string    `json:"guardrail,omitempty"` // the metric
	Arm        string    `json:"arm,omitempty"`
	Kind       string    `json:"kind"`
	Verdict    string    `json:"verdict,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Actor      string    `json:"actor"`
	Look       string    `json:"look,omitempty"`
	Config     uint32    `json:"config"`
	Code       string    `json:"code"`

	Evidence json.RawMessage `json:"evidence,omitempty"`
	PrevHash string          `json:"prev_hash"` // hexadecimal
	Hash     string          `json:"hash"`      // hexadecimal, of everything above
}

// DecisionFilter narrows the decision log; zero fields do not.
type DecisionFilter struct {
	Experiment string
	Iteration  uint32
	After      uint64 // greater seq only
	Before     uint64 // smaller seq only
	Limit      int    // the newest ones
}

// LookKind is how much a look covers.
type LookKind string

// The kinds; empty means either where looks are asked for.
const (
	GuardLook   LookKind = "guard"   // guardrail metrics
	FullLook    LookKind = "full"    // all metrics and dimensions
	SlowLook    LookKind = "slow"    // metrics that are computed from stored events
	PlaceboLook LookKind = "placebo" // random halves of the control, which do not differ

	AnalysisLook LookKind = "analysis" // exploratory: another definition than the planned one
)

// Look is a stored look. For this package its document is bytes.
type Look struct {
	ID         string // given by StoreLook when empty
	Experiment string
	Iteration  uint32
	Kind       LookKind
	At         time.Time // milliseconds
	Version    uint32
	Vector     map[uint16]uint64 // shard → last part in the numbers
	Verdict    string
	Document   []byte    // JSON
	Decision   uint64    // 0: none rests on it
	Expires    time.Time // given by StoreLook
}

// LookFilter asks for a stretch of history, oldest first.
type LookFilter struct {
	Experiment string
	Iteration  uint32        // 0: all
	Kind       LookKind      // "": guard and full looks, whose documents are of one form
	From, To   time.Time     // [From, To); zero: open
	Every      time.Duration // at most one look each; 0: all
	Documents  bool          // with their documents
	Limit      int           // the newest ones; 0: all
}

// PartCount is the load of parts on one partition of one table. The cost of a
// look grows with the parts of the ledger.
type PartCount struct {
	Table     string
	Partition string // of the ledger: the shard
	Parts     uint64
	Rows      uint64
	Bytes     uint64
}
