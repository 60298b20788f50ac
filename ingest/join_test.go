package ingest_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// origin is the start of the made-up time; hour slots begin there.
const origin = int64(1_772_323_200_000)

// at draws a moment on a coarse grid, so that ties and borders are common.
func at(t *rapid.T, label string) int64 {
	step := rapid.SampledFrom([]int64{20_000, 60_000, 1_800_000}).Draw(t, label+"_step")
	return origin + step*rapid.Int64Range(0, 12).Draw(t, label)
}

func drawVersion(t *rapid.T, number uint32) *experiment.Version {
	v := &experiment.Version{Number: number}
	for _, key := range []string{"e1", "e2"} {
		if rapid.IntRange(0, 4).Draw(t, "known") > 0 {
			v.Experiments = append(v.Experiments, drawExperiment(t, key))
		}
	}
	return v
}

// drawNext changes nothing of some experiments, ends the last iteration of others
// earlier, as a kill does, and draws the rest anew.
func drawNext(t *rapid.T, v *experiment.Version) *experiment.Version {
	next := drawVersion(t, v.Number+1)
	for i := range next.Experiments {
		now := v.Find(next.Experiments[i].Key)
		if now == nil {
			continue
		}
		switch rapid.IntRange(0, 3).Draw(t, "change") {
		case 0, 1:
			next.Experiments[i] = *now
		case 2:
			x := *now
			x.Iterations = slices.Clone(x.Iterations)
			last := &x.Iterations[len(x.Iterations)-1]
			last.End = last.Start.Add(last.End.Sub(last.Start) / 2)
			last.Killed = &experiment.Killed{At: last.End}
			next.Experiments[i] = x
		}
	}
	return next
}

func drawExperiment(t *rapid.T, key string) experiment.Experiment {
	d := drawDesign(t)
	x := experiment.Experiment{
		Key: key, UnitKind: d.UnitKind, Variants: d.Variants, Window: d.Window, Grace: d.Grace, Crossovers: d.Crossovers, Dimensions: d.Dimensions,
		Exclude: d.Exclude, Consent: d.Consent, Attributes: d.Attributes,
	}
	start := at(t, "start")
	for n := range uint32(rapid.IntRange(1, 3).Draw(t, "iterations")) {
		it := drawIteration(t, n+1, start)
		if rapid.IntRange(0, 3).Draw(t, "designed_anew") == 0 {
			it.Design = drawDesign(t)
		}
		x.Iterations = append(x.Iterations, it)
		start = it.End.UnixMilli() + rapid.SampledFrom([]int64{0, 60_000, 3_600_000}).Draw(t, "pause")
	}
	return x
}

func drawDesign(t *rapid.T) *experiment.Design {
	d := &experiment.Design{
		UnitKind: rapid.SampledFrom([]string{"user", "user", "user", "device"}).Draw(t, "kind"),
		Variants: []experiment.Variant{{Key: "b"}, {Key: "a"}, {Key: "c"}}[:rapid.IntRange(2, 3).Draw(t, "arms")],
		Window:   drawWindow(t), Grace: rapid.SampledFrom([]experiment.Duration{0, 0, experiment.Duration(time.Minute), experiment.Duration(time.Hour)}).Draw(t, "grace"),
		Crossovers: rapid.SampledFrom([]experiment.Crossovers{experiment.Exclude, experiment.Exclude, experiment.First}).Draw(t, "policy"),
	}
	d.Attributes = rapid.SampledFrom([]experiment.Attributes{"", "", experiment.AnyAttributes, experiment.VerifiedAttributes}).Draw(t, "believed")
	d.Consent.Require = rapid.SampledFrom([]experiment.ConsentRule{"", "", experiment.RequireGranted, experiment.RequireNotDenied}).Draw(t, "consent")
	if rapid.IntRange(0, 3).Draw(t, "exclude") == 0 {
		d.Exclude = []experiment.Condition{{"c": "y"}, {"c": "x", "d": "1"}}
	}
	for _, name := range []string{"c", "d"}[:rapid.IntRange(0, 2).Draw(t, "dims")] {
		d.Dimensions = append(d.Dimensions, experiment.Dimension{Attribute: name, Values: []string{"x", "1"}})
	}
	return d
}

func drawWindow(t *rapid.T) experiment.Duration {
	return experiment.Duration(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, time.Hour + time.Millisecond, 50 * time.Hour}).Draw(t, "window"))
}

func drawIteration(t *rapid.T, number uint32, start int64) experiment.Iteration {
	enrol := start + 60_000*rapid.Int64Range(1, 300).Draw(t, "enrol")
	end := enrol + rapid.SampledFrom([]int64{0, 60_000, 7_200_000}).Draw(t, "tail")
	it := experiment.Iteration{Number: number, Start: ms(start), EnrolUntil: ms(enrol), End: ms(end)}
	if rapid.IntRange(0, 2).Draw(t, "killed") == 0 {
		it.Killed = &experiment.Killed{At: it.End}
	}
	from := start
	for n := range uint16(rapid.IntRange(1, 3).Draw(t, "phases")) {
		it.Phases = append(it.Phases, experiment.Phase{Number: n + 1, From: ms(from), Settle: experiment.Duration(rapid.SampledFrom([]time.Duration{0, time.Minute, time.Hour}).Draw(t, "settle"))})
		from += 60_000 * rapid.Int64Range(1, 60).Draw(t, "phase")
	}
	if n := len(it.Phases); n > 0 {
		it.Phases[0].Settle = 0
	}
	for n := range rapid.IntRange(0, 3).Draw(t, "metrics") {
		it.Metrics = append(it.Metrics, drawMetric(t, n))
	}
	return it
}

var (
	events   = []string{"buy", "buy", "view"}
	decimals = []int{0, 2, 6, 12}
	kinds    = []experiment.Kind{
		experiment.Mean, experiment.Sum, experiment.Count, experiment.Proportion, experiment.Retention, experiment.Ratio, experiment.Quantile,
	}
)

func drawMetric(t *rapid.T, n int) experiment.Metric {
	m := experiment.Metric{Name: fmt.Sprint("m", n), Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
	if m.Kind == experiment.Ratio {
		m.Numerator, m.Denominator = drawPart(t), drawPart(t)
	} else {
		p := drawPart(t)
		m.Event, m.Value, m.Where, m.Decimals, m.Cap = p.Event, p.Value, p.Where, p.Decimals, p.Cap
	}
	if m.Kind == experiment.Retention {
		m.From = experiment.Duration(rapid.SampledFrom([]time.Duration{0, time.Minute, 20 * time.Minute}).Draw(t, "after"))
		m.To = m.From + drawWindow(t)
	} else if rapid.Bool().Draw(t, "own_window") {
		m.Window = drawWindow(t)
	}
	return m
}

func drawPart(t *rapid.T) *experiment.Part {
	p := &experiment.Part{
		Event:       rapid.SampledFrom(events).Draw(t, "event"),
		Decimals:    rapid.SampledFrom(decimals).Draw(t, "decimals"),
		Aggregation: rapid.SampledFrom([]experiment.Aggregation{"sum", "sum", "count", "any"}).Draw(t, "aggregation"),
		Value:       rapid.SampledFrom([]string{"", "value", "attrs.d"}).Draw(t, "reads"),
	}
	if rapid.IntRange(0, 3).Draw(t, "where") == 0 {
		p.Where = experiment.Condition{"c": "x"}
	}
	switch rapid.IntRange(0, 5).Draw(t, "cap") {
	case 0:
		p.Cap = &experiment.Cap{At: rapid.SampledFrom([]string{"1", "3", "140"}).Draw(t, "at")}
	case 1:
		p.Cap = &experiment.Cap{Percentile: 99}
	}
	return p
}

// values are texts whose sums and roundings hit the borders: 2^47 = 140737488355328.
var texts = []string{
	"1", "1", "0", "-1", "2.5", "-2.5", "3.5", "0.5", "0.005", "0.015", "19.99", "0.0000005", "0.0000000000005", "0.000000000001",
	"140737488355327", "140737488355328", "140737488355327.5", "140737488355327.4999", "-140737488355327", "-140737488355328",
	"140737488.355328", "140737488.355327", "-140737488.3553275", "140.737488355328", "999999999999999", "-1e14", "1e-13",
}

// borders are the times at which something begins or ends under a version.
func borders(v *experiment.Version) []int64 {
	list := []int64{origin}
	for _, x := range v.Experiments {
		for _, it := range x.Iterations {
			list = append(list, it.Start.UnixMilli(), it.EnrolUntil.UnixMilli(), it.End.UnixMilli())
			for _, p := range it.Phases {
				list = append(list, p.From.UnixMilli(), p.From.UnixMilli()+p.Settle.Milliseconds())
			}
		}
	}
	return list
}

func drawEvent(t *rapid.T, topics int, borders []int64) ingest.Event {
	unit := uint64(rapid.IntRange(1, 3).Draw(t, "unit"))
	e := ingest.Event{
		Type: rapid.SampledFrom([]ingest.Type{ingest.Exposure, ingest.Outcome}).Draw(t, "type"),
		T:    at(t, "t"), Unit: ingest.Unit{Hi: unit << 60, Lo: unit}, UnitKind: "user",
		ID:        rapid.SampledFrom([]string{"", "", "i1", "i2", "i3"}).Draw(t, "id"),
		Misplaced: rapid.IntRange(0, 19).Draw(t, "misplaced") == 0,
	}
	e.Place.Topic = uint8(rapid.IntRange(0, topics-1).Draw(t, "topic"))
	if rapid.Bool().Draw(t, "at_border") {
		e.T = rapid.SampledFrom(borders).Draw(t, "border")
	}
	if e.T += rapid.SampledFrom([]int64{0, 0, 0, 1, -1}).Draw(t, "ms"); unit == 3 {
		e.UnitKind = "device"
	}
	if e.Type == ingest.Exposure {
		e.Experiment = rapid.SampledFrom([]string{"e1", "e1", "e1", "e2", "e3"}).Draw(t, "experiment")
		e.Variant = rapid.SampledFrom([]string{"a", "b", "b", "c", "z"}).Draw(t, "variant")
	} else {
		e.Name = rapid.SampledFrom([]string{"buy", "buy", "view", "other"}).Draw(t, "name")
		e.Value = mustValue(rapid.SampledFrom(texts).Draw(t, "value"))
	}
	if v := rapid.SampledFrom([]string{"", "match", "mismatch"}).Draw(t, "assignment"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Assignment, Value: v})
	}
	if v := rapid.SampledFrom([]string{"", "granted", "granted", "denied", "unknown", "not_required"}).Draw(t, "says"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Consent, Value: v})
	}
	if v := rapid.SampledFrom([]string{"", "", "", "out", "less"}).Draw(t, "sample"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Sample, Value: v})
	}
	if v := rapid.SampledFrom([]string{"", "verified", "verified", "forged", "unverified"}).Draw(t, "proof"); v != "" && e.Type == ingest.Exposure {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: ingest.Verified, Value: v})
	}
	if v := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "c"); v != "" {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: "c", Value: v})
	}
	if v := rapid.SampledFrom([]string{"", "1", "2.5", "true", "1e20", "140737488355328"}).Draw(t, "d"); v != "" {
		e.Attrs = append(e.Attrs, ingest.Attr{Name: "d", Value: v})
	}
	return e
}

func mustValue(text string) ingest.Value {
	v, err := ingest.ParseValue(text)
	if err != nil {
		panic(err)
	}
	return v
}

// drawLog makes the topics' logs; now and then a record is sent again, with the
// same identity or with another time.
func drawLog(t *rapid.T, topics int, v *experiment.Version) [][]ingest.Event {
	log := make([][]ingest.Event, topics)
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		e := drawEvent(t, topics, borders(v))
		if all := slices.Concat(log...); len(all) > 0 {
			switch again := rapid.SampledFrom(all).Draw(t, "which"); rapid.IntRange(0, 7).Draw(t, "again") {
			case 0:
				e = again
				e.T += rapid.SampledFrom([]int64{0, 0, 60_000}).Draw(t, "restamped")
			case 1, 2: // a tie
				e.Unit, e.UnitKind, e.T = again.Unit, again.UnitKind, again.T
			}
		}
		e.Place.Offset = int64(len(log[e.Place.Topic])) * 3
		log[e.Place.Topic] = append(log[e.Place.Topic], e)
	}
	return log
}

// sortRows brings rows into the order of the table of events.
func sortRows(rows []ingest.Event) {
	slices.SortStableFunc(rows, func(a, b ingest.Event) int {
		return cmp.Or(cmp.Compare(a.Unit.Hi, b.Unit.Hi), cmp.Compare(a.Unit.Lo, b.Unit.Lo), cmp.Compare(a.T, b.T),
			cmp.Compare(a.Place.Topic, b.Place.Topic), cmp.Compare(a.Place.Offset, b.Place.Offset))
	})
}

// restart is what a consumer does: a new joiner and the stored rows below the
// watermark, sorted, some of them stored twice.
func restart(t *rapid.T, topics []string, v *experiment.Version, read []ingest.Event) *ingest.Joiner {
	j := ingest.NewJoiner(topics, v)
	rows := slices.Clone(read)
	for _, e := range read {
		if rapid.IntRange(0, 3).Draw(t, "twice") == 0 {
			rows = append(rows, e)
		}
	}
	sortRows(rows)
	for i := range rows {
		j.Restore(&rows[i])
	}
	return j
}

// TestJoinerEqualsOracle is the law "function of the log": whatever the order in
// which topics are read, the borders of batches, restarts and versions adopted on
// the way, the deltas sum up to what brute force finds in the records read so far
// under the version then in force.
//
// semantics: function-of-log late-version covers first-exposure attribution attribution-iteration where window grace slots cells bad-attribute out-of-range overflow moved crossover settling asides design-of-iteration unknown-experiment place consent consent-anonymous verified
func TestJoinerEqualsOracle(t *testing.T) {
	for round := range 10 {
		t.Run(strconv.Itoa(round), rapid.MakeCheck(joinerEqualsOracle))
	}
}

func joinerEqualsOracle(t *rapid.T) {
	topics := []string{"one", "two"}[:rapid.IntRange(1, 2).Draw(t, "topics")]
	version := drawVersion(t, 1)
	log := drawLog(t, len(topics), version)
	j := ingest.NewJoiner(topics, version)
	got, read, next := ledger{}, []ingest.Event(nil), make([]int, len(topics))
	batch := 0 // the last events of read that have not been added yet
	for {
		open := slices.DeleteFunc([]int{0, 1}[:len(topics)], func(i int) bool { return next[i] == len(log[i]) })
		if len(open) == 0 {
			break
		}
		i := rapid.SampledFrom(open).Draw(t, "from")
		e := log[i][next[i]]
		next[i]++
		if rapid.IntRange(0, 3).Draw(t, "known") > 0 { // else the policy was not known yet
			admission := ingest.AdmissionOf(version)
			admission.Admit(&e, 0)
		}
		read = append(read, e)
		if batch++; rapid.Bool().Draw(t, "wait") {
			continue
		}
		add(t, j, read[len(read)-batch:])
		batch = 0
		switch rapid.IntRange(0, 11).Draw(t, "then") {
		case 0:
			got.add(take(t, j))
		case 1:
			got.add(take(t, j))
			j = restart(t, topics, version, read)
		case 2:
			version = drawNext(t, version)
			j.Adopt(version)
			got.add(take(t, j))
		case 3:
			got.add(take(t, j))
			same(t, got, brute(read, version))
		}
	}
	add(t, j, read[len(read)-batch:])
	got.add(take(t, j))
	same(t, got, brute(read, version))
}

// add takes events in, at once or one by one, and checks their fates.
// take holds the promise of Pending as well.
func take(t rapid.TB, j *ingest.Joiner) []ingest.Row {
	bound := j.Pending()
	rows := j.Take()
	if len(rows) > bound || j.Pending() != 0 {
		t.Errorf("%d rows, at most %d were pending; %d after", len(rows), bound, j.Pending())
	}
	if n := j.Hidden(); n > 0 {
		t.Errorf("%d units have exposures that no adoption would find", n)
	}
	return rows
}

func add(t *rapid.T, j *ingest.Joiner, events []ingest.Event) {
	var fates []ingest.Fate
	if rapid.Bool().Draw(t, "at_once") {
		fates = j.AddAll(events, nil)
	} else {
		for i := range events {
			fates = append(fates, j.Add(&events[i]))
		}
	}
	for i, e := range events {
		if (fates[i] == ingest.Misplaced) != e.Misplaced || fates[i] == ingest.Duplicate && e.ID == "" {
			t.Fatalf("%+v: fate %d", e, fates[i])
		}
	}
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func same(t fataler, got, want ledger) {
	t.Helper()
	if diff := gocmp.Diff(want.plain(), got.plain()); diff != "" {
		t.Fatalf("deltas differ from brute force (-want +got):\n%s", diff)
	}
}

// TestCrossoverTie: of two differing exposures at one time the lesser variant is
// the crossover, also when it is read last.
//
// semantics: ties
func TestCrossoverTie(t *testing.T) {
	v := explained()
	v.Experiments[0].Variants = []experiment.Variant{{Key: "a"}, {Key: "b"}, {Key: "c"}}
	j, got, log := ingest.NewJoiner([]string{"t"}, v), ledger{}, []ingest.Event(nil)
	for i, variant := range []string{"c", "b", "a"} {
		e := ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Offset: int64(i)}, T: origin + 1_000*int64(min(i, 1)), UnitKind: "user", Experiment: "e", Variant: variant}
		log = append(log, e)
		j.Add(&e)
		got.add(take(t, j))
		same(t, got, brute(log, v))
	}
}
