package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// realm is a random world: a configuration and the log of one shard, with ties,
// borders, duplicates and records of every sort.
type realm struct {
	*rand.Rand
	consent *rand.Rand // of consents and proofs
	start   int64
	version *experiment.Version
	topics  []string
	log     [][]ingest.Event // by topic
}

func among[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

const span = 12 * 3_600_000 // of a realm's events, in milliseconds

func newRealm(seed uint64, events int) *realm {
	w := &realm{Rand: rand.New(rand.NewPCG(seed, 99)), consent: rand.New(rand.NewPCG(seed, 7)), start: noon.UnixMilli(), topics: []string{"exposures", "outcomes"}}
	w.version = w.draw(1)
	w.log = make([][]ingest.Event, len(w.topics))
	var said []ingest.Event
	for range events {
		e := w.event(events/16 + 2)
		if p := w.IntN(20); p < 2 && len(said) > 0 { // sent again, also stamped anew
			e = among(w.Rand, said...)
			e.T += among[int64](w.Rand, 0, 0, 60_000)
		}
		said = append(said, e)
		list := &w.log[e.Place.Topic]
		e.Place.Offset = int64(len(*list)) * 2 // every other offset holds no record
		*list = append(*list, e)
	}
	return w
}

// time lies on a coarse grid half of the time, so that borders are met.
func (w *realm) time() int64 {
	t := w.start + w.Int64N(span)
	if w.IntN(2) == 0 {
		t -= t % among[int64](w.Rand, 60_000, 1_800_000)
	}
	return t + among[int64](w.Rand, 0, 0, 0, 1, -1)
}

func (w *realm) draw(number uint32) *experiment.Version {
	v := &experiment.Version{Number: number, AppliedAt: noon, Author: "tests"}
	for _, key := range []string{"e1", "e2", "e\"3'\\"} {
		if w.IntN(6) > 0 {
			v.Experiments = append(v.Experiments, w.experiment(key))
		}
	}
	return v
}

func (w *realm) experiment(key string) experiment.Experiment {
	d := w.design()
	x := experiment.Experiment{Key: key, UnitKind: d.UnitKind, Variants: d.Variants, Window: d.Window, Grace: d.Grace, Crossovers: d.Crossovers, Dimensions: d.Dimensions, Exclude: d.Exclude, Consent: d.Consent, Attributes: d.Attributes}
	start := w.start + 60_000*w.Int64N(60)
	for n := range 1 + w.IntN(3) {
		it := w.iteration(uint32(n+1), start)
		if w.IntN(3) == 0 {
			it.Design = w.design()
		}
		x.Iterations = append(x.Iterations, it)
		start = it.End.UnixMilli() + among[int64](w.Rand, 0, 60_000, 1_800_000)
	}
	return x
}

func (w *realm) design() *experiment.Design {
	d := &experiment.Design{
		UnitKind: among(w.Rand, "user", "user", "user", "device"),
		Variants: []experiment.Variant{{Key: "b"}, {Key: "a"}, {Key: "c"}}[:2+w.IntN(2)],
		Window:   w.window(), Grace: experiment.Duration(among(w.Rand, 0, 0, time.Minute, time.Hour)),
		Crossovers: among(w.Rand, experiment.Exclude, experiment.Exclude, experiment.First),
	}
	d.Attributes = among(w.consent, "", "", "", experiment.AnyAttributes, experiment.VerifiedAttributes)
	d.Consent.Require = among(w.consent, "", "", "", "", experiment.RequireGranted, experiment.RequireNotDenied)
	if w.IntN(4) == 0 {
		d.Exclude = []experiment.Condition{{"c": "y", "d": "1"}, {"d": "2.5"}}
	}
	for _, name := range []string{"c", "d"}[:w.IntN(3)] {
		d.Dimensions = append(d.Dimensions, experiment.Dimension{Attribute: name, Values: []string{"x", "1"}})
	}
	return d
}

func (w *realm) window() experiment.Duration {
	return experiment.Duration(among(w.Rand, 10*time.Minute, time.Hour, time.Hour+time.Millisecond, 50*time.Hour))
}

func (w *realm) iteration(number uint32, start int64) experiment.Iteration {
	enrol := start + 60_000*(60+w.Int64N(300))
	end := enrol + among[int64](w.Rand, 0, 60_000, 3_600_000)
	it := experiment.Iteration{Number: number, Start: millis(start), EnrolUntil: millis(enrol), End: millis(end)}
	if w.IntN(3) == 0 {
		it.Killed = &experiment.Killed{At: it.End}
	}
	from := start
	for n := range 1 + w.IntN(3) {
		p := experiment.Phase{Number: uint16(n + 1), From: millis(from), Sample: 0.5}
		if n > 0 {
			p.Settle = experiment.Duration(among(w.Rand, 0, time.Minute, time.Hour))
		}
		it.Phases = append(it.Phases, p)
		from += 60_000 * (1 + w.Int64N(90))
	}
	for n := range 1 + w.IntN(5) {
		it.Metrics = append(it.Metrics, w.metric(n))
	}
	return it
}

func (w *realm) metric(n int) experiment.Metric {
	m := experiment.Metric{Name: fmt.Sprint("m", n), Kind: among(w.Rand, experiment.Mean, experiment.Sum, experiment.Count,
		experiment.Proportion, experiment.Retention, experiment.Ratio, experiment.Quantile)}
	p := w.part()
	m.Event, m.Value, m.Where, m.Decimals, m.Cap = p.Event, p.Value, p.Where, p.Decimals, p.Cap
	switch {
	case m.Kind == experiment.Ratio:
		m.Numerator, m.Denominator = p, w.part()
	case m.Kind == experiment.Retention:
		m.From = experiment.Duration(among(w.Rand, 0, time.Minute, time.Hour))
		m.To = m.From + w.window()
	case w.IntN(2) == 0:
		m.Window = w.window()
	}
	return m
}

func (w *realm) part() *experiment.Part {
	p := &experiment.Part{
		Event: among(w.Rand, "buy", "buy", "view"), Decimals: among(w.Rand, 0, 2, 6, 12), Value: among(w.Rand, "", "value", "attrs.d"),
		Aggregation: among(w.Rand, experiment.AggregateSum, experiment.AggregateSum, experiment.AggregateCount, experiment.AggregateAny),
	}
	if w.IntN(4) == 0 {
		p.Where = experiment.Condition{"c": "x"}
	}
	switch w.IntN(5) {
	case 0:
		p.Cap = &experiment.Cap{At: among(w.Rand, "1", "3.5", "140", "999999999999999")}
	case 1:
		p.Cap = &experiment.Cap{Percentile: 99} // not a number yet: none
	}
	return p
}

func millis(t int64) time.Time { return time.UnixMilli(t).UTC() }

// amounts meet the borders of rounding and range: 2^47 = 140737488355328.
var amounts = []string{
	"1", "1", "0", "-1", "2.5", "-2.5", "3.5", "0.5", "0.005", "0.015", "19.99", "0.0000005", "0.0000000000005", "0.000000000001",
	"140737488355327", "140737488355328", "140737488355327.5", "140737488355327.4999", "-140737488355327", "-140737488355328",
	"140737488.355328", "140737488.355327", "-140737488.3553275", "140.737488355328", "999999999999999", "-1e14", "1e-13",
}

// readings are what stands in an attribute where a metric wants a number.
var readings = []string{
	"1", "2.5", "-0", "1E2", "12e-1", "0.0000000000005", "0.0000000000015", "true", "1e20", "140737488355328", "999999999999999.9999999999995",
	"0e999", "01", "1.", ".5", "+1", " 1", "1e", "", "0x10", "1e-400", "123456789.1234567890123456789",
}

func (w *realm) event(units int) ingest.Event {
	unit := uint64(w.IntN(units)) + 1
	e := ingest.Event{
		Type: among(w.Rand, ingest.Exposure, ingest.Outcome, ingest.Outcome), T: w.time(), KafkaT: w.start + span,
		Unit: ingest.Unit{Hi: unit * 0x9E3779B97F4A7C15, Lo: unit}, UnitKind: among(w.Rand, "user", "user", "user", "user")}
	if unit%7 == 0 {
		e.UnitKind = "device"
	}
	if w.IntN(3) == 0 {
		e.ID = fmt.Sprint("id", w.IntN(4))
	}
	if w.IntN(4) == 0 { // keyed anew: the origin stands for the place
		e.Origin = ingest.Origin{Copied: true, Partition: int32(w.IntN(3)), Offset: int64(len(w.log[0]) + 10_000*w.IntN(3))}
	}
	e.Misplaced = w.IntN(40) == 0
	e.Place.Topic = uint8(w.IntN(len(w.topics)))
	if e.Type == ingest.Exposure {
		e.Experiment = among(w.Rand, "e1", "e1", "e1", "e2", "e\"3'\\", "e4")
		e.Variant = []string{"a", "b", "c"}[unit%3]
		if w.IntN(6) == 0 {
			e.Variant = among(w.Rand, "a", "b", "c", "z")
		}
	} else {
		e.Name, e.Value = among(w.Rand, "buy", "buy", "view", "other"), amount(among(w.Rand, amounts...))
	}
	if v := among(w.Rand, "", "match", "mismatch"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Assignment, Value: v})
	}
	if v := among(w.consent, "", "granted", "granted", "granted", "denied", "unknown", "not_required"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Consent, Value: v})
	}
	if v := []string{"out", "less"}; e.Type == ingest.Exposure && unit%11 < 2 && e.T%2 == 0 {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Sample, Value: v[unit%11]})
	}
	if v := among(w.consent, "", "verified", "verified", "forged"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Verified, Value: v})
	}
	if v := among(w.Rand, "", "x", "y"); v != "" {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: "c", Value: v})
	}
	if w.IntN(3) > 0 {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: "d", Value: among(w.Rand, readings...)})
	}
	return e
}

func amount(text string) ingest.Value {
	v, err := ingest.ParseValue(text)
	if err != nil {
		panic(err)
	}
	return v
}

// consume lets the joiner count the log into a shard of the store, in random
// batches; now and then a batch writes its events twice, and a version is adopted.
func (w *realm) consume(t testing.TB, db *clickhouse.DB, shard uint16) {
	t.Helper()
	j := ingest.NewJoiner(w.topics, w.version)
	var seq uint64
	next := make([]int, len(w.topics))
	for slices.ContainsFunc([]int{0, 1}, func(i int) bool { return next[i] < len(w.log[i]) }) {
		seq++
		part := ingest.Part{Shard: shard, Seq: seq, Config: w.version.Number, Partitions: 4}
		var batch []ingest.Event
		for topic, list := range w.log {
			n := min(w.IntN(400), len(list)-next[topic])
			events := list[next[topic] : next[topic]+n]
			w.admit(events)
			part.Offsets = append(part.Offsets, counts(uint8(topic), int64(next[topic]), events, j.AddAll(events, nil)))
			batch = append(batch, events...)
			next[topic] += n
		}
		for range 1 + w.IntN(2) {
			if err := db.AppendEvents(t.Context(), shard, w.topics, batch, nil); err != nil {
				t.Fatal(err)
			}
		}
		part.Rows = j.Take()
		mustAppendTo(t, db, w.topics, part)
		if w.IntN(6) == 0 {
			w.adopt(t, db, j, shard, &seq)
		}
	}
}

// admit strips most exposures of the consent that is asked for; the others were read
// before that was known.
func (w *realm) admit(events []ingest.Event) {
	admission := ingest.AdmissionOf(w.version)
	for i := range events {
		if w.consent.IntN(4) > 0 {
			admission.Admit(&events[i], 0)
		}
	}
}

// adopt goes over to a new version.
func (w *realm) adopt(t testing.TB, db *clickhouse.DB, j *ingest.Joiner, shard uint16, seq *uint64) {
	t.Helper()
	last, err := db.VersionNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.version = w.draw(last + 1)
	if err := db.AppendVersion(t.Context(), *w.version); err != nil {
		t.Fatal(err)
	}
	j.Adopt(w.version)
	*seq++
	mustAppendTo(t, db, w.topics, ingest.Part{Shard: shard, Seq: *seq, Config: w.version.Number, Partitions: 4, Rows: j.Take()})
}

// counts are the fates of a batch; every other offset held no record.
func counts(topic uint8, from int64, events []ingest.Event, fates []ingest.Fate) ingest.Counts {
	n := int64(len(events))
	c := ingest.Counts{Topic: topic, From: 2 * from, Next: 2 * (from + n), NoRecord: uint64(n)}
	for _, f := range fates {
		switch f {
		case ingest.Accepted:
			c.Accepted++
		case ingest.Duplicate:
			c.Duplicate++
		default:
			c.Misplaced++
		}
	}
	return c
}

func mustAppendTo(t testing.TB, db *clickhouse.DB, names []string, p ingest.Part) {
	t.Helper()
	named := make([]clickhouse.Topic, len(names))
	for i, name := range names {
		named[i].Name = name
	}
	got, err := db.AppendPart(t.Context(), named, p)
	if err != nil || got != clickhouse.Committed {
		t.Fatalf("part %d of shard %d: %v, %v", p.Seq, p.Shard, got, err)
	}
}
