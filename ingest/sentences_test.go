package ingest_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/testref"
)

// Two events are one when topic, type, unit kind, unit, id and time agree, and
// only then. The kind is in the unit's hash.
//
// semantics: identity id-conflict
func TestIdentity(t *testing.T) {
	key := ingest.Key{7}
	first := ingest.Event{Type: ingest.Outcome, T: origin + 1000, Unit: key.Unit("user", "u"), UnitKind: "user", ID: "a", Name: "buy", Value: mustValue("1")}
	for name, c := range map[string]struct {
		change func(*ingest.Event)
		want   ingest.Fate
	}{
		"the same, also with another value": {func(e *ingest.Event) { e.Value = mustValue("2") }, ingest.Duplicate},
		"another topic":                     {func(e *ingest.Event) { e.Place.Topic = 1 }, ingest.Accepted},
		"another type":                      {func(e *ingest.Event) { e.Type, e.Experiment, e.Variant = ingest.Exposure, "e", "a" }, ingest.Accepted},
		"another unit kind":                 {func(e *ingest.Event) { e.Unit, e.UnitKind = key.Unit("device", "u"), "device" }, ingest.Accepted},
		"another unit":                      {func(e *ingest.Event) { e.Unit = key.Unit("user", "v") }, ingest.Accepted},
		"another id":                        {func(e *ingest.Event) { e.ID = "b" }, ingest.Accepted},
		"another time":                      {func(e *ingest.Event) { e.T++ }, ingest.Accepted},
		"no id":                             {func(e *ingest.Event) { e.ID = "" }, ingest.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			j := ingest.NewJoiner([]string{"one", "two"}, explained())
			one, two := first, first
			j.Add(&one)
			two.Place.Offset = 1
			c.change(&two)
			if got := j.Add(&two); got != c.want {
				t.Errorf("fate %d, want %d", got, c.want)
			}
		})
	}
}

// A duplicate that comes weeks later, after a restart, is one still; with another
// time it counts.
//
// semantics: duplicate-weeks-later late
func TestDuplicateWeeksLater(t *testing.T) {
	const week = int64(7 * 24 * 3_600_000)
	topics, v := []string{"one"}, explained()
	unit := ingest.Unit{Hi: 1, Lo: 1}
	log := []ingest.Event{
		{Type: ingest.Exposure, T: origin + 1000, Unit: unit, UnitKind: "user", ID: "x", Experiment: "e", Variant: "a"},
		{Type: ingest.Outcome, T: origin + 2000, Unit: unit, UnitKind: "user", ID: "a", Name: "buy", Value: mustValue("3")},
	}
	for i := range int64(50) { // what goes on for five weeks
		log = append(log, ingest.Event{Type: ingest.Outcome, T: origin + week*(i+1)/10, Unit: ingest.Unit{Hi: 2, Lo: uint64(i)}, UnitKind: "user", Name: "buy"})
	}
	for i := range log {
		log[i].Place.Offset = int64(i)
	}
	j := ingest.NewJoiner(topics, v)
	j.AddAll(log, nil)
	got := ledger{}
	got.add(j.Take())

	j = ingest.NewJoiner(topics, v)
	rows := append([]ingest.Event(nil), log...)
	sortRows(rows)
	for i := range rows {
		j.Restore(&rows[i])
	}
	again := log[1]
	again.Place.Offset, again.KafkaT = 900, origin+5*week
	if fate := j.Add(&again); fate != ingest.Duplicate {
		t.Errorf("fate %d, want a duplicate", fate)
	}
	if rows := j.Take(); len(rows) > 0 {
		t.Errorf("a duplicate changes %+v", rows)
	}
	restamped := again
	restamped.T, restamped.Place.Offset = again.T+1, 901
	if fate := j.Add(&restamped); fate != ingest.Accepted {
		t.Errorf("fate %d, want it accepted", fate)
	}
	got.add(j.Take())
	same(t, got, brute(append(log, again, restamped), v))
}

// Of two exposures at one time to one variant the one with the lesser place is the
// first, and its attributes are the unit's, in whatever order they are read.
//
// semantics: ties
func TestTieByPlace(t *testing.T) {
	v := explained()
	v.Experiments[0].Dimensions = append(v.Experiments[0].Dimensions, experiment.Dimension{Attribute: "c", Values: []string{"one", "two"}})
	at := func(topic uint8, offset int64, c string) ingest.Event {
		return ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Topic: topic, Offset: offset}, T: origin, Unit: ingest.Unit{Hi: 1}, UnitKind: "user",
			Experiment: "e", Variant: "a", Attrs: []ingest.Attr{{Name: "c", Value: c}}}
	}
	for name, log := range map[string][]ingest.Event{
		"lesser topic first": {at(0, 9, "one"), at(1, 0, "two")},
		"lesser topic last":  {at(1, 0, "two"), at(0, 9, "one")},
		"same topic":         {at(1, 0, "one"), at(1, 1, "two")},
	} {
		j, got := ingest.NewJoiner([]string{"one", "two"}, v), ledger{}
		j.AddAll(log, nil)
		got.add(j.Take())
		for cell, s := range got {
			if cell.Metric == ingest.Units && cell.Dimension == "c" && s.n != 0 && cell.Value != "one" {
				t.Errorf("%s: the unit is counted under %s", name, cell.Value)
			}
		}
		same(t, got, brute(log, v))
	}
}

// A unit is counted once by what came of its first exposure's assignment, also when an
// earlier one arrives late, and when it crosses over.
//
// semantics: assignment
func TestAssignmentOfTheFirst(t *testing.T) {
	v := explained()
	at := func(offset, t int64, variant, verdict string) ingest.Event {
		return ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Offset: offset}, T: origin + t, Unit: ingest.Unit{Hi: 1}, UnitKind: "user",
			Experiment: "e", Variant: variant, Attrs: []ingest.Attr{{Name: ingest.Assignment, Value: verdict}}}
	}
	log := []ingest.Event{at(0, 20, "a", "match"), at(1, 30, "a", "mismatch"), at(2, 10, "b", "mismatch")}
	j, got := ingest.NewJoiner([]string{"t"}, v), ledger{}
	for i := range log {
		j.AddAll(log[i:i+1], nil)
		got.add(j.Take())
		want := map[string]int64{"match": 1}
		if i == 2 {
			want = map[string]int64{"mismatch": 1}
		}
		counted := map[string]int64{}
		for cell, s := range got {
			if cell.Metric == ingest.Assignment && s.n != 0 {
				counted[cell.Value] += s.n
			}
		}
		if !maps.Equal(counted, want) {
			t.Errorf("after %d exposures: %v, want %v", i+1, counted, want)
		}
	}
	same(t, got, brute(log, v))
}

// A unit that is left out by its first exposure gives one count, whatever else it does;
// when an earlier exposure arrives late, that one decides.
//
// semantics: sampling
func TestSampleOfTheFirst(t *testing.T) {
	v := explained()
	at := func(offset, t int64, variant, verdict string) ingest.Event {
		e := ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Offset: offset}, T: origin + t, Unit: ingest.Unit{Hi: 1}, UnitKind: "user",
			Experiment: "e", Variant: variant}
		if verdict != "" {
			e.Attrs = []ingest.Attr{{Name: ingest.Sample, Value: verdict}}
		}
		return e
	}
	log := []ingest.Event{at(0, 20, "a", "out"), at(1, 30, "b", ""), at(2, 10, "a", "less"), at(3, 5, "b", "out")}
	j, got := ingest.NewJoiner([]string{"t"}, v), ledger{}
	for i, want := range []map[string]int64{
		{"$sample out a": 1}, {"$sample out a": 1},
		{"$sample less a": 1, "$units  a": 1, "$crossover b a": 1}, {"$sample out b": 1},
	} {
		j.AddAll(log[i:i+1], nil)
		got.add(j.Take())
		counted := map[string]int64{}
		for cell, s := range got {
			if cell.Metric[0] == '$' && cell.Dimension == "" && s.n != 0 {
				counted[cell.Metric+" "+cell.Value+" "+cell.Variant] += s.n
			}
		}
		if !maps.Equal(counted, want) {
			t.Errorf("after %d exposures: %v, want %v", i+1, counted, want)
		}
	}
	same(t, got, brute(log, v))
}

// No source of the join, nor of the words that it counts by, asks for the time.
//
// semantics: no-clock
func TestNothingLooksAtAClock(t *testing.T) {
	for _, dir := range []string{"ingest", filepath.Join("internal", "experiment")} {
		files, err := filepath.Glob(filepath.Join(testref.Root(t), dir, "*.go"))
		if err != nil || len(files) < 10 {
			t.Fatalf("%d files of %s, %v", len(files), dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, clock := range []string{"time.Now", "time.Since", "time.Until", "time.After"} {
				if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), clock+"(") {
					t.Errorf("%s calls %s", file, clock)
				}
			}
		}
	}
}

// A quantile is computed from the stored events: nothing is counted for it.
//
// semantics: quantile
func TestNothingIsCountedForAQuantile(t *testing.T) {
	v := explained()
	m := &v.Experiments[0].Iterations[0].Metrics[0]
	m.Kind, m.Quantile = experiment.Quantile, 0.95
	j := ingest.NewJoiner([]string{"one"}, v)
	unit := ingest.Unit{Hi: 1}
	j.AddAll([]ingest.Event{
		{Type: ingest.Exposure, T: origin, Unit: unit, UnitKind: "user", Experiment: "e", Variant: "a"},
		{Type: ingest.Outcome, T: origin + 1, Place: ingest.Place{Offset: 1}, Unit: unit, UnitKind: "user", Name: "buy", Value: mustValue("3")},
	}, nil)
	rows := j.Take()
	for _, r := range rows {
		if r.Metric == m.Name {
			t.Errorf("%+v", r)
		}
	}
	if len(rows) == 0 {
		t.Error("nothing is counted at all")
	}
}
