package results_test

import (
	"math"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// failing is an experiment with an error rate and a number of errors, either of
// which may kill.
func failing() (*experiment.Version, *experiment.Experiment) {
	names := []string{"errors", "error_units"}
	v := &experiment.Version{Number: 7, Experiments: []experiment.Experiment{{
		Key: "failing", UnitKind: "user", Control: "control", Crossovers: experiment.Exclude,
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Window:   experiment.Duration(time.Hour), Alpha: .05, AlphaKill: .05, PlannedUnits: 20_000,
		Guardrails: []experiment.Guardrail{{Metric: names[0], Mode: experiment.Kill}, {Metric: names[1], Mode: experiment.Kill}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: noon(), EnrolUntil: noon().Add(time.Hour), End: noon().Add(9 * time.Hour),
			Phases: []experiment.Phase{{Number: 1, From: noon(), Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{
				{Name: names[0], Event: "error", Kind: experiment.Count, Direction: experiment.Decrease},
				{Name: names[1], Event: "error", Kind: experiment.Proportion, Direction: experiment.Decrease},
			},
			AlphaKill: .05, KillRules: 2, KillGuardrails: names,
		}},
	}}}
	return v, &v.Experiments[0]
}

// stream is a log that is joined as it is written.
type stream struct {
	joiner *ingest.Joiner
	offset int64
	sums   map[ingest.Cell]results.Sums
	now    time.Time
}

func newStream(v *experiment.Version) *stream {
	return &stream{joiner: ingest.NewJoiner([]string{"events"}, v), sums: map[ingest.Cell]results.Sums{}, now: noon()}
}

func (s *stream) add(e ingest.Event, unit uint64) {
	s.offset++
	s.now = s.now.Add(time.Millisecond)
	e.Place.Offset, e.T, e.Unit, e.UnitKind = s.offset, s.now.UnixMilli(), ingest.Unit{Hi: 1, Lo: unit}, "user"
	s.joiner.Add(&e)
}

func (s *stream) expose(unit uint64, variant string) {
	s.add(ingest.Event{Type: ingest.Exposure, Experiment: "failing", Variant: variant}, unit)
}

func (s *stream) fail(unit uint64) {
	value, _ := ingest.ParseValue("1")
	s.add(ingest.Event{Type: ingest.Outcome, Name: "error", Value: value}, unit)
}

// look adds up what the join gave so far.
func (s *stream) look(v *experiment.Version, e *experiment.Experiment) results.Document {
	for _, row := range s.joiner.Take() {
		sum, ok := s.sums[row.Cell]
		if !ok {
			sum = results.NewSums()
		}
		sum.Add(results.Sums{N: row.N, NonZero: row.NonZero, Over: row.Over, Sum: row.Sum.Big(), SumSquares: row.SumSquares.Big()})
		s.sums[row.Cell] = sum
	}
	m := results.Moments{Vector: map[uint16]uint64{0: uint64(s.offset)}, Config: map[uint16]uint32{0: v.Number}}
	for c, sum := range s.sums {
		m.Cells = append(m.Cells, results.Cell{
			Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling, Variant: c.Variant, Metric: c.Metric,
			Dimension: c.Dimension, Value: c.Value, Open: sum, Newest: s.now,
		})
	}
	status := []results.ShardStatus{{Shard: 0, Seq: uint64(s.offset), Freshness: s.now, State: "ok"}}
	return results.Compute(v, e, 1, m, status, s.now, results.Options{Code: "test", Kind: results.KindFull})
}

// judge steps every rule and returns the worst act.
func judge(e *experiment.Experiment, d *results.Document, states map[string]guardrails.State) (worst guardrails.Act, verdicts []guardrails.Verdict) {
	for _, r := range guardrails.Rules(e, &e.Iterations[0]) {
		state, v := guardrails.Step(r, states[r.ID()], guardrails.Observe(d, r, nil))
		states[r.ID()] = state
		worst, verdicts = max(worst, v.Act), append(verdicts, v)
	}
	return worst, verdicts
}

// TestRetryLoop: both arms have 60 units with an error in 20,000, and one client of
// the treatment then repeats its error a million times. Through the join, the
// moments and the guardrails nothing is killed at any of 100 looks, and the count
// test, which sees units, does not move; a test of the events would be certain.
func TestRetryLoop(t *testing.T) {
	v, e := failing()
	s := newStream(v)
	for unit := range uint64(20_000) {
		s.expose(unit, []string{"control", "treatment"}[unit%2])
		if unit%333 < 2 {
			s.fail(unit)
		}
	}
	before := s.look(v, e)
	states := map[string]guardrails.State{}
	const client, looks, errorsEach = 1, 100, 10_000
	for range looks {
		for range errorsEach {
			s.fail(client)
		}
		d := s.look(v, e)
		if act, verdicts := judge(e, &d, states); act > guardrails.DoObserve {
			t.Fatalf("one client's errors lead to %v: %+v", act, verdicts)
		}
		for i, c := range d.Comparisons {
			was, is := before.Comparisons[i].Open.FirstEvents, c.Open.FirstEvents
			if was == nil || is == nil || is.Treatment != was.Treatment || is.HarmP != was.HarmP || is.SequentialP < .5 {
				t.Fatalf("%s: %+v became %+v", c.Metric, was, is)
			}
		}
	}
	for unit := uint64(5001); unit < 6000; unit += 2 { // the same guardrails do kill when 500 clients fail
		s.fail(unit)
	}
	d := s.look(v, e)
	if act, verdicts := judge(e, &d, states); act != guardrails.DoKill {
		t.Errorf("500 clients' errors lead to %v: %+v", act, verdicts)
	}
	repeated := stats.CompareCounts([]stats.CountPhase{{Treatment: looks * errorsEach, Control: 60, Share: .5}}, stats.CountPlan{Alpha: .05})
	if repeated.P > 1e-9 {
		t.Errorf("repeated errors counted as independent give p = %v: the example shows nothing", repeated.P)
	}
}

// TestRareHarmIsShown: 60 against 20 units with an error in 20,000 are harm, though
// the gate of the mean is not far from closed.
func TestRareHarmIsShown(t *testing.T) {
	v, e := failing()
	s := newStream(v)
	for unit := range uint64(20_000) {
		s.expose(unit, []string{"control", "treatment"}[unit%2])
		if unit%2 == 1 && unit < 120 || unit%2 == 0 && unit < 40 {
			s.fail(unit)
		}
	}
	d := s.look(v, e)
	got := d.Comparisons[1].Open.FirstEvents
	if got == nil || got.Treatment != 60 || got.Control != 20 {
		t.Fatalf("%+v", got)
	}
	near(t, "ratio", got.Ratio, 3)
	if !(got.HarmP < .01 && got.HarmBound > 0 && got.Sequential.Low > 1) {
		t.Errorf("%+v", got)
	}
	if d.Comparisons[1].Matured.FirstEvents != nil {
		t.Error("no unit's window has passed, and there is a count test of such units")
	}
}

// TestFirstEventsOfPhases: the ramp's phases keep their own shares, and frequent
// events have no count test.
func TestFirstEventsOfPhases(t *testing.T) {
	d := compute(moments(
		binary("errors", "control", 1, 99_000, 99), binary("errors", "treatment", 1, 1000, 1),
		binary("errors", "control", 2, 50_000, 150), binary("errors", "treatment", 2, 50_000, 150),
	), statuses())
	got := d.Comparisons[0].Open.FirstEvents
	if got == nil || got.SequentialP < .5 || math.Abs(got.Ratio.Float()-1) > 1e-6 {
		t.Errorf("equal rates in both phases: %+v", got)
	}
	often := compute(moments(binary("errors", "control", 2, 500, 50), binary("errors", "treatment", 2, 500, 50)), statuses())
	if often.Comparisons[0].Open.FirstEvents != nil {
		t.Error("a tenth of the units has an event, and events count as rare")
	}
}
