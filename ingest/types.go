package ingest

// Type says which of the two native events a record is.
type Type uint8

// The types; the zero value is no event.
const (
	Exposure Type = iota + 1
	Outcome
)

// Place is where in the log a record stands, within its shard: shard P is
// partition P of every declared topic.
type Place struct {
	Topic  uint8 // index into the shard's topics, which are sorted by name
	Offset int64
}

// Unit is the keyed 128-bit hash of (unit kind, unit id). The id itself is not kept.
type Unit struct{ Hi, Lo uint64 }

// Event is one well-formed record. Strings are safe to keep.
type Event struct {
	Type       Type
	Place      Place
	T          int64 // event time, milliseconds UTC
	KafkaT     int64 // the record's own timestamp, milliseconds UTC
	Unit       Unit
	UnitKind   string
	ID         string  // empty: its place is its identity
	Experiment string  // exposures
	Variant    string  // exposures
	Name       string  // outcomes: the event's name
	Value      Value   // outcomes: scaled by 10^12
	Attrs      []Attr  // on the allow-list only, sorted by name
	Sample     float64 // exposures: the share of units that the producer keeps, 0..1; 0: it does not say. Not stored
	Misplaced  bool    // in the wrong partition for its unit: stored and counted, never joined
	Origin     Origin  // where a record that was keyed anew was first written; zero for all others
	Decode     uint32  // version of its topic's decoding under which it was read
}

// Origin is the place at which a record was first written, when it was read from
// a topic to which it was copied under another key. Identity without an id, ties
// between exposures and the limit on future times go by the origin.
type Origin struct {
	Copied    bool
	Partition int32
	Offset    int64
	Index     int // which of that record's events it is; not stored
}

// Attr is one attribute.
type Attr struct{ Name, Value string }

// Value is a decimal with twelve decimals, held as an integer: |x| < 10^15.
type Value = Int128

// Dead is a record that cannot be an event. Its payload is not kept.
type Dead struct {
	Place    Place
	KafkaT   int64
	Reason   Reason
	Size     int    // bytes of the value
	Position int    // byte offset of the error in the value, -1 when it has none
	Detail   string // what is wrong, without any of the payload
}

// Reason is why a record is dead. The list is closed.
type Reason string

// The reasons.
const (
	BadJSON      Reason = "bad_json"
	NoType       Reason = "bad_type"
	MissingField Reason = "missing_field"
	BadField     Reason = "bad_field"
	BadTime      Reason = "bad_time"
	Future       Reason = "future"
	BadValue     Reason = "bad_value"
	TooLarge     Reason = "too_large"
	TooOld       Reason = "too_old"    // before the floor: events of that age are no longer kept
	Unverified   Reason = "unverified" // its topic requires a proof, and it carries none
	Forged       Reason = "forged"     // its signature is none of a known key
	Expired      Reason = "expired"    // its token did not hold at the event's time
	Mismatched   Reason = "mismatched" // its token is of another unit, variant or attribute
	Filtered     Reason = "filtered"   // well-formed, but not an event by its topic's mapping, such as an evaluation that exposes nobody
)

// Fate is what became of an accepted place.
type Fate uint8

// The fates.
const (
	Accepted Fate = iota + 1
	Duplicate
	Misplaced
)

// Cell is the key of a moment. Metric names beginning with $ are counters of the
// join itself (see the constants below); they use N alone.
type Cell struct {
	Experiment string
	Iteration  uint32
	Phase      uint16
	Settling   bool // first exposed within the phase's settle time
	Variant    string
	Metric     string
	Slot       int64  // start of the exposure slot, milliseconds UTC
	Dimension  string // "" for all units
	Value      string // of the dimension
}

// The join's own counters.
const (
	Units          = "$units"           // units by first exposure, before crossovers are taken out
	CrossoverUnits = "$crossover"       // units taken out; Variant is the first, Value the other variant
	Excluded       = "$excluded"        // units that the experiment's exclude leaves out, by variant
	Moved          = "$moved"           // exposures to another variant in a later phase
	Outside        = "$outside"         // exposures outside every iteration (Iteration 0)
	AfterEnd       = "$after_end"       // exposures from the end of a killed iteration on, by variant
	UnknownVariant = "$unknown_variant" // exposures to a variant that the file doesn't know
	OtherUnitKind  = "$other_unit_kind" // exposures of another unit kind
	OutOfRange     = "$out_of_range"    // outcome values too large for one metric; Value is the metric's name
	Assignment     = "$assignment"      // units by first exposure, by what came of computing their assignment anew: Value; also the attribute that says so
	Sample         = "$sample"          // units by first exposure, of which something is to be said about sampling: Value (see LeftOut); also the attribute that says so
	Consent        = "$consent"         // exposures of an iteration that asks for consent, by what they say of it: Value; also the attribute that says so
	BadAttribute   = "$bad_attribute"   // outcomes whose attribute holds no number for one metric; Value is the metric's name
)

// Delta is what is added to a cell. Sums are of y scaled by 10^decimals, and of a
// ratio's denominator z scaled by 10^(its decimals).
type Delta struct {
	N          int64  // units
	NonZero    int64  // units with y ≠ 0, of a ratio those with z ≠ 0 too
	Over       int64  // units whose |y| or |z| is now ≥ 2^47: not in N and the sums
	Sum        Int128 // Σy
	SumSquares Int128 // Σy²
	Newest     int64  // greatest event time that contributed, milliseconds UTC

	// Of ratios; zero for all other kinds.
	SumDenominator        Int128 // Σz
	SumSquaresDenominator Int128 // Σz²
	SumProduct            Int128 // Σyz
}

// Row is a cell with its delta.
type Row struct {
	Cell
	Delta
}

// Counts says what became of the offsets [From, Next) of one topic:
// Next − From = the sum of all other fields.
type Counts struct {
	Topic      uint8
	From, Next int64
	Accepted   uint64
	Duplicate  uint64
	Dead       uint64
	Misplaced  uint64
	Suppressed uint64 // erased units
	Shed       uint64 // left out by sampling
	NoRecord   uint64 // offsets without a record: transaction markers, compaction
	Gap        uint64 // lost before they were read; accepted by a person
	Decode     uint32 // version of the topic's decoding under which the offsets were read; 0: none was
	Epoch      int32  // Kafka's leader epoch of the last record, plus one; 0: not known
}

// Part is what one guarded append writes: deltas and the mark that says which
// offsets they stand for. A part without offsets adopts a configuration version.
type Part struct {
	Shard  uint16
	Seq    uint64
	Config uint32 // configuration version under which the shard stands after this part
	// Partitions is how many of them each topic has. It decides in which shard a
	// unit is, so a ledger keeps the number that it was begun with.
	Partitions uint32
	Offsets    []Counts
	Rows       []Row
}
