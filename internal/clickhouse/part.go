package clickhouse

import (
	"encoding/base64"
	"fmt"
	"math"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// MaxPartRows is the most delta rows of one part: it must be sent and stored as
// one block. Consumers write batches of far fewer; only the adoption of a version
// that changes the counting of many slots at once comes near it, because its
// difference has to be one part (docs/decisions/0002).
const MaxPartRows = 4_000_000

// checkPart refuses what would be wrong for ever once it is written.
func checkPart(topics []Topic, part ingest.Part) error {
	if part.Seq == 0 {
		return fmt.Errorf("part of shard %d has no number", part.Shard)
	}
	if n := len(part.Rows); n > MaxPartRows {
		return fmt.Errorf("part %d of shard %d has %d rows, at most %d fit", part.Seq, part.Shard, n, MaxPartRows)
	}
	for _, c := range part.Offsets {
		if int(c.Topic) >= len(topics) {
			return fmt.Errorf("part %d of shard %d names topic %d of %d", part.Seq, part.Shard, c.Topic, len(topics))
		}
		if fates := sumOfFates(c); c.Next < c.From || uint64(c.Next-c.From) != fates {
			return fmt.Errorf("part %d of shard %d: offsets [%d, %d) of %s have %d fates",
				part.Seq, part.Shard, c.From, c.Next, topics[c.Topic].Name, fates)
		}
	}
	for i := range part.Rows {
		c := &part.Rows[i].Cell
		if c.Experiment == "" || c.Slot < 0 || c.Slot/1000 > math.MaxUint32 {
			return fmt.Errorf("part %d of shard %d: cell without experiment or with slot %d", part.Seq, part.Shard, c.Slot)
		}
	}
	return nil
}

func sumOfFates(c ingest.Counts) uint64 {
	return c.Accepted + c.Duplicate + c.Dead + c.Misplaced + c.Suppressed + c.Shed + c.NoRecord + c.Gap
}

// partFields is the block of a part: the mark, then the deltas.
func partFields(topics []Topic, part ingest.Part, attempt uint64, code string, now time.Time) []field {
	rows := len(part.Rows) + 1
	var head, body []field
	var c cellColumns
	c.add(&ingest.Row{})
	for i := range part.Rows {
		c.add(&part.Rows[i])
	}
	body = c.fields()
	var shard, seq, mark fixed
	for range rows {
		shard.uint16(part.Shard)
		seq.uint64(part.Seq)
		mark.bool(len(mark) == 0)
	}
	head = []field{{"shard", &shard}, {"seq", &seq}, {"mark", &mark}}
	return append(append(head, body...), markFields(topics, part, attempt, code, now)...)
}

// cellColumns are a cell and its delta, row by row.
type cellColumns struct {
	experiment, variant, metric, dimension, value words
	iteration, phase, settling, slot              fixed
	n, nonzero, over, sy, syy, newest             fixed
	sz, szz, syz                                  fixed
	ratios                                        bool // a row has something in them
}

func (c *cellColumns) add(r *ingest.Row) {
	c.experiment.add(r.Experiment)
	c.iteration.uint32(r.Iteration)
	c.phase.uint16(r.Phase)
	c.settling.bool(r.Settling)
	c.variant.add(r.Variant)
	c.metric.add(r.Metric)
	c.slot.uint32(uint32(r.Slot / 1000))
	c.dimension.add(r.Dimension)
	c.value.add(r.Value)
	c.n.int64(r.N)
	c.nonzero.int64(r.NonZero)
	c.over.int64(r.Over)
	c.sy.int128(r.Sum)
	c.syy.int128(r.SumSquares)
	c.sz.int128(r.SumDenominator)
	c.szz.int128(r.SumSquaresDenominator)
	c.syz.int128(r.SumProduct)
	c.newest.int64(r.Newest)
	c.ratios = c.ratios || !r.SumDenominator.IsZero() || !r.SumSquaresDenominator.IsZero() || !r.SumProduct.IsZero()
}

// fields leaves out the columns of ratios where no row has one: the table's default
// is 0, and most parts have none.
func (c *cellColumns) fields() []field {
	all := []field{
		{"experiment", &c.experiment}, {"iteration", &c.iteration}, {"phase", &c.phase},
		{"settling", &c.settling}, {"variant", &c.variant}, {"metric", &c.metric},
		{"slot", &c.slot}, {"dimension", &c.dimension}, {"value", &c.value},
		{"n", &c.n}, {"nonzero", &c.nonzero}, {"over", &c.over},
		{"sy", &c.sy}, {"syy", &c.syy}, {"newest", &c.newest},
	}
	if c.ratios {
		all = append(all, field{"sz", &c.sz}, field{"szz", &c.szz}, field{"syz", &c.syz})
	}
	return all
}

// markFields are the columns that only row 0 fills.
func markFields(topics []Topic, part ingest.Part, attempt uint64, code string, now time.Time) []field {
	rows := len(part.Rows) + 1
	var attempts, config, partitions, count, written fixed
	var codes words
	attempts.uint64(attempt)
	config.uint32(part.Config)
	partitions.uint32(part.Partitions)
	count.uint32(uint32(rows))
	written.int64(now.UnixMilli())
	codes.add(code)
	for range part.Rows {
		attempts.uint64(0)
		config.uint32(0)
		partitions.uint32(0)
		count.uint32(0)
		written.int64(0)
		codes.add("")
	}
	fields := []field{
		{"attempt", &attempts}, {"config", &config}, {"code", &codes}, {"partitions", &partitions},
		{"rows", &count}, {"written_at", &written},
	}
	var names, ids words
	var epochs fixed
	for _, c := range part.Offsets {
		names.add(topics[c.Topic].Name)
		ids.add(topicID(topics[c.Topic].ID))
		epochs.uint32(uint32(c.Epoch))
	}
	array := func(name string, elements builder) {
		fields = append(fields, field{name, first{len(part.Offsets), rows, elements}})
	}
	array("topics", &names)
	array("topic_ids", &ids)
	array("epochs", &epochs)
	for _, counter := range counters {
		var numbers fixed
		for _, c := range part.Offsets {
			numbers.uint64(counter.of(&c))
		}
		array(counter.name, &numbers)
	}
	var decode fixed
	for _, c := range part.Offsets {
		decode.uint32(c.Decode)
	}
	array("decode", &decode)
	return fields
}

// counters are the arrays of a mark, one number a topic.
var counters = [...]struct {
	name string
	of   func(*ingest.Counts) uint64
}{
	{"from", func(c *ingest.Counts) uint64 { return uint64(c.From) }},
	{"next", func(c *ingest.Counts) uint64 { return uint64(c.Next) }},
	{"accepted", func(c *ingest.Counts) uint64 { return c.Accepted }},
	{"duplicate", func(c *ingest.Counts) uint64 { return c.Duplicate }},
	{"dead", func(c *ingest.Counts) uint64 { return c.Dead }},
	{"misplaced", func(c *ingest.Counts) uint64 { return c.Misplaced }},
	{"suppressed", func(c *ingest.Counts) uint64 { return c.Suppressed }},
	{"shed", func(c *ingest.Counts) uint64 { return c.Shed }},
	{"norecord", func(c *ingest.Counts) uint64 { return c.NoRecord }},
	{"gap", func(c *ingest.Counts) uint64 { return c.Gap }},
}

// topicID is the form in which Kafka's own tools print a topic's id.
func topicID(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func parseTopicID(s string) (id [16]byte, err error) {
	if s == "" {
		return id, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("topic id %q is not 16 bytes in base64", s)
	}
	return [16]byte(b), nil
}
