package ingest_test

import (
	"math/big"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// TestJoinerAtScale lets every table grow: what was counted event by event equals
// what the restored rows give when their experiment is adopted, and a duplicate
// of every record, before and after the restart, changes nothing.
func TestJoinerAtScale(t *testing.T) {
	const units = 20_000
	topics := []string{"exposures", "outcomes"}
	live, counted := ingest.NewJoiner(topics, benchVersion()), ledger{}
	s := newStream(units, arrival)
	for at := 0; at < len(s.order); at += len(s.batch) {
		live.AddAll(s.fill(at), nil)
		counted.add(live.Take())
	}
	restored, adopted := ingest.NewJoiner(topics, nil), ledger{}
	rows := newStream(units, nil)
	for at := 0; at < len(rows.order); at += len(rows.batch) {
		for _, e := range rows.fill(at) {
			restored.Restore(&e)
		}
	}
	if !restored.Adopt(benchVersion()) || restored.Adopt(benchVersion()) {
		t.Error("adopting a version changes something once")
	}
	adopted.add(restored.Take())
	same(t, adopted, counted)
	for _, j := range []*ingest.Joiner{live, restored} {
		for at := 0; at < len(s.order); at += len(s.batch) {
			for i, fate := range j.AddAll(s.fill(at), nil) {
				if fate != ingest.Duplicate {
					t.Fatalf("record %d is new (fate %d)", at+i, fate)
				}
			}
		}
		if rows := j.Take(); len(rows) != 0 || j.Units() != units {
			t.Errorf("%d rows after duplicates, %d units", len(rows), j.Units())
		}
		if perEvent := j.Bytes() / (4 * units); perEvent < 43 || perEvent > 96 {
			t.Errorf("%d bytes an event", perEvent)
		}
	}
}

// TestTotalsBeyond64Bits walks one unit's y past 2^63 and back.
func TestTotalsBeyond64Bits(t *testing.T) {
	const events = 70_000 // 70,000 · (2^47 − 1) > 2^63
	v := &experiment.Version{Number: 1, Experiments: []experiment.Experiment{{
		Key: "e", UnitKind: "user", Variants: []experiment.Variant{{Key: "a"}, {Key: "b"}}, Window: benchVersion().Experiments[0].Window,
		Iterations: []experiment.Iteration{{
			Number: 1, Start: ms(origin), EnrolUntil: ms(origin + 1_000), End: ms(origin + 1_000_000),
			Metrics: []experiment.Metric{{Name: "m", Event: "x", Kind: experiment.Sum}},
		}},
	}}}
	j, got := ingest.NewJoiner([]string{"t"}, v), ledger{}
	offset := int64(0)
	add := func(e ingest.Event) {
		e.Unit, e.UnitKind, e.Place.Offset = ingest.Unit{Lo: 1}, "user", offset
		offset++
		j.Add(&e)
	}
	check := func(n, over int64, y int64) {
		t.Helper()
		got.add(j.Take())
		for c, s := range got {
			if c.Metric == "m" && (s.n != n || s.over != over || s.sum.Cmp(big.NewInt(y)) != 0 || s.squares.Cmp(new(big.Int).Mul(big.NewInt(y), big.NewInt(y))) != 0) {
				t.Errorf("n %d over %d Σ %s Σ² %s; want %d %d %d", s.n, s.over, s.sum, s.squares, n, over, y)
			}
		}
	}
	add(ingest.Event{Type: ingest.Exposure, T: origin + 10, Experiment: "e", Variant: "a"})
	for range events {
		add(ingest.Event{Type: ingest.Outcome, T: origin + 20, Name: "x", Value: mustValue("140737488355327")})
	}
	check(0, 1, 0)
	add(ingest.Event{Type: ingest.Exposure, T: origin + 5, Experiment: "e", Variant: "a"}) // the whole unit is assessed anew
	check(0, 1, 0)
	for range events - 1 {
		add(ingest.Event{Type: ingest.Outcome, T: origin + 20, Name: "x", Value: mustValue("-140737488355327")})
	}
	add(ingest.Event{Type: ingest.Outcome, T: origin + 20, Name: "x", Value: mustValue("-140737488355322")})
	check(1, 0, 5)
}

// TestAdoptNothingNew: what counting does not depend on changes nothing.
func TestAdoptNothingNew(t *testing.T) {
	j := ingest.NewJoiner(nil, benchVersion())
	next := benchVersion()
	next.Number = 2
	next.Experiments[0].Owner, next.Experiments[0].Goals = "somebody else", []string{"revenue"}
	next.Experiments[0].Guardrails = []experiment.Guardrail{{Metric: "revenue", Mode: experiment.Kill}}
	next.Experiments[0].Variants[0].Share = 0.9
	if j.Adopt(next) {
		t.Error("texts, guardrails and shares are not counted")
	}
	next.Experiments[0].Iterations[0].End = next.Experiments[0].Iterations[0].EnrolUntil
	if !j.Adopt(next) || !j.Adopt(nil) {
		t.Error("an end and an experiment that goes are")
	}
}

func TestTopicsMustBeSorted(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("unsorted topics would make ties depend on configuration")
		}
	}()
	ingest.NewJoiner([]string{"b", "a"}, nil)
}
