package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestNothingButHarmKills holds, under the same clear harm, each thing that
// must keep the guard from believing it.
func TestNothingButHarmKills(t *testing.T) {
	tests := map[string]struct {
		spoil   func(*world)
		verdict string
		reason  string
	}{
		"freshness lost":    {func(w *world) { w.fresh = 2 * time.Minute }, "blind", "stale"},
		"a backfill":        {func(w *world) { w.newest = 20 * time.Minute }, "blind", "silent"},
		"a gap":             {func(w *world) { w.state = "gap" }, "blind", "gap"},
		"misplaced units":   {func(w *world) { w.state = "misplaced" }, "blind", "misplaced"},
		"an unknown state":  {func(w *world) { w.state = "on fire" }, "blind", "shard_stopped"},
		"a broken split":    {func(w *world) { w.setCells(5000, 250, 4000, 800) }, "inconclusive", "srm"},
		"too little so far": {func(w *world) { w.setCells(100, 5, 100, 40) }, "inconclusive", "few_events"},
		"a shard that counts by another window": {func(w *world) {
			v := w.versions[0]
			e := checkout()
			e.Window = experiment.Duration(30 * time.Minute)
			v.Number, v.Experiments = 2, []experiment.Experiment{e}
			w.versions, w.config = append(w.versions, v), 1
		}, "blind", "adopting"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(checkout())
				w.harmful()
				test.spoil(w)
				w.run(t, Config{}, 0, 20*time.Second)
				if n := w.kinds(); n[guardrails.Decided] != 0 || len(w.calls) != 0 {
					t.Errorf("entries %v and %d calls, want no decision", n, len(w.calls))
				}
				if v := w.lastVerdict(t); v.Verdict != test.verdict || v.Reason != test.reason {
					t.Errorf("verdict %s (%s), want %s (%s)", v.Verdict, v.Reason, test.verdict, test.reason)
				}
				if test.verdict == "blind" && len(w.alerts) == 0 {
					t.Error("blind for 20 s and nobody heard of it")
				}
			})
		})
	}
}

// TestFreeChangeIsNoAdoption: a version that changes a mode only is judged by at
// once, whatever version the shards stand at.
func TestFreeChangeIsNoAdoption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := checkout()
		e.Guardrails[0].Mode = experiment.Observe
		w := newWorld(e)
		w.harmful()
		w.run(t, Config{}, 0, 5*time.Second)
		if n := w.kinds(); n[guardrails.Decided] != 1 || len(w.calls) != 0 {
			t.Fatalf("observing: entries %v, %d calls", n, len(w.calls))
		}
		v := w.versions[0]
		v.Number, v.Experiments = 2, []experiment.Experiment{checkout()}
		v.Experiments[0].Iterations = e.Iterations
		w.versions, w.config = append(w.versions, v), 1
		w.run(t, Config{}, 0, 2500*time.Millisecond)
		if len(w.calls) != 1 {
			t.Errorf("%d calls after the mode became kill, want 1: %+v", len(w.calls), w.lastVerdict(t))
		}
	})
}

// TestFailedRounds: a ledger that cannot be read kills nothing and pages.
func TestFailedRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.ledgerErr = errors.New("connection refused")
		w.run(t, Config{}, 0, 10*time.Second)
		if len(w.entries) != 0 || !w.alertTitles()["the guard cannot look"] {
			t.Errorf("%d entries, alerts %v", len(w.entries), w.alertTitles())
		}
		w.ledgerErr = nil
		w.run(t, Config{}, 0, 3*time.Second)
		if len(w.calls) != 1 {
			t.Errorf("%d calls once the ledger is back, want 1", len(w.calls))
		}
	})
}

// TestNothingCanBeRead: when the database is gone, what is read first fails first, and
// every guardrail is an error all the same, within a round.
func TestNothingCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		g := &guard{world: w, t: t}
		parts := g.parts()
		last := lastJudged(&parts)
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(2500*time.Millisecond, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.logErr = errors.New("connection refused")
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if last.Kind != guardrails.Error || last.Reason != guardrails.LookFailed || !strings.Contains(last.Text, "connection refused") {
			t.Errorf("the last verdict is %s, %s: %s", last.Kind, last.Reason, last.Text)
		}
	})
}

// TestNodeAway: what cannot be read because a server with some of the shards is away is
// missing and no failure, and kills nothing however much the rest shows.
func TestNodeAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.ledgerErr = fmt.Errorf("node b: %w", ErrNodeAway)
		g := &guard{world: w, t: t}
		parts := g.parts()
		last := lastJudged(&parts)
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if last.Kind != guardrails.Blind || last.Reason != guardrails.NodeAway || !strings.Contains(last.Text, "node b") || len(w.calls) != 0 {
			t.Errorf("the last verdict is %s, %s: %s; %d calls", last.Kind, last.Reason, last.Text, len(w.calls))
		}
	})
}

func TestSplitAlarmLatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.setCells(5000, 250, 4000, 800)
		w.run(t, Config{}, 0, 3*time.Second)
		w.harmful() // the split looks fine now; the alarm stays
		w.run(t, Config{}, 0, 3*time.Second)
		if n := w.kinds(); n[guardrails.SRMAlarm] != 1 || n[guardrails.Decided] != 0 {
			t.Fatalf("entries %v, want one alarm and no decision", n)
		}
		g := &guard{world: w, t: t}
		hand, err := NewHand("ada", Config{}, g.parts())
		if err != nil {
			t.Fatal(err)
		}
		if err := hand.Acknowledge(t.Context(), Named{Experiment: "checkout"}, 1, "a bot, excluded"); err != nil {
			t.Fatal(err)
		}
		if err := hand.Acknowledge(t.Context(), Named{Experiment: "checkout"}, 1, "again"); !errors.Is(err, ErrNoAlarm) {
			t.Errorf("a second acknowledgement: %v", err)
		}
		w.run(t, Config{}, 0, 3*time.Second)
		if n := w.kinds(); n[guardrails.SRMAlarm] != 1 || len(w.calls) != 1 {
			t.Errorf("acknowledged: entries %v, %d calls, want the kill", n, len(w.calls))
		}
	})
}

// TestLooks: a guard look whenever the data moved, a full one every minute, and
// only guardrails' metrics in the first.
func TestLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.run(t, Config{}, 0, 90*time.Second+time.Millisecond)
		kinds := map[string]int{}
		for _, l := range w.looks {
			kinds[l.Document.Kind]++
			if metrics := len(l.Document.Comparisons); (l.Document.Kind == "guard") != (metrics == 1) {
				t.Errorf("a %s look has %d metrics", l.Document.Kind, metrics)
			}
		}
		if kinds["guard"] != 91 || kinds["full"] != 2 {
			t.Errorf("looks %v, want 91 guard and 2 full", kinds)
		}
	})
}

func TestEvidenceStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.run(t, Config{}, 0, 5*time.Second)
		before := w.entries[0]
		w.setCells(9000, 450, 9000, 450) // late data that would have told otherwise
		w.run(t, Config{}, 0, 5*time.Second)
		again, err := before.Replay()
		if err != nil || !again.Same() || cmp.Diff(again.Was, again.Is) != "" || again.Is.(guardrails.Verdict).Act != guardrails.DoKill {
			t.Errorf("decided again from the log: %+v, %v:\n%s", again.Differences, err, cmp.Diff(again.Was, again.Is))
		}
		var evidence guardrails.Evidence
		if err := json.Unmarshal(before.Evidence, &evidence); err != nil {
			t.Fatal(err)
		}
		if got := evidence.Cells[1].Open.Sum; len(evidence.Cells) != 2 || got != "1000" || len(evidence.Vector) != 1 {
			t.Errorf("the evidence has the sum %s of %d cells, of parts %v; want the treatment's 1000 errors of two", got, len(evidence.Cells), evidence.Vector)
		}
		if _, err := w.entries[1].Replay(); !errors.Is(err, guardrails.ErrNoEvidence) {
			t.Errorf("a step of the kill is replayed: %v", err)
		}
		if string(w.entries[0].Evidence) != string(before.Evidence) || w.kinds()[guardrails.Decided] != 1 {
			t.Error("the evidence of the decision changed")
		}
		if v := w.lastVerdict(t); v.Reason != "latched" {
			t.Errorf("reason %s, want latched", v.Reason)
		}
		// It is counted all the same, and shown as what came after the decision.
		want := []results.AfterDecision{{Variant: "treatment", Units: 4000, NonZero: -550}, {Variant: "control", Units: 4000, NonZero: 200}}
		if k := w.looks[len(w.looks)-1].Document.Kill; k == nil || k.State != "verified" {
			t.Errorf("the look says %+v of the kill", k)
		} else if diff := cmp.Diff(want, k.After); diff != "" {
			t.Error("after the decision:", diff)
		}
	})
}

// TestLateDecisionNamesItsLook: while the journal cannot be written nothing else
// may change, and the decision still rests on the look that showed the harm.
func TestLateDecisionNamesItsLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.still = 7
		g := &guard{world: w, t: t}
		parts := g.parts()
		parts.Journal = &deaf{guard: g, fails: 3}
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		w.checkKilledOnce(t, 0)
	})
}

// deaf refuses its first appends; nothing of them lands.
type deaf struct {
	*guard
	fails int
}

func (d *deaf) Append(ctx context.Context, e guardrails.Entry, after string) (string, error) {
	if d.fails--; d.fails >= 0 {
		return "", errors.New("no space left on device")
	}
	return d.guard.Append(ctx, e, after)
}

// TestEventsAndMetrics: what the terminal and the dashboards live on.
func TestEventsAndMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		w.fresh = 5 * time.Minute
		registry := prometheus.NewRegistry()
		g := &guard{world: w, t: t}
		parts := g.parts()
		var story []string
		parts.Metrics = registry
		parts.Observer = func(e Event) {
			switch {
			case e.Entry != nil:
				story = append(story, string(e.Entry.Kind))
			case e.Verdict != nil:
				story = append(story, e.Verdict.Kind.String())
			}
		}
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		time.AfterFunc(4600*time.Millisecond, func() {
			w.mu.Lock()
			w.fresh = 0
			w.mu.Unlock()
		})
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		want := []string{"blind", "breached", "decided", "sending", "accepted", "verified", "iteration_ended", "breached"}
		if diff := cmp.Diff(want, story); diff != "" {
			t.Error("what the observer saw:", diff)
		}
		got := gather(t, registry)
		for name, want := range map[string]float64{
			`assay_guard_decisions_total{act="kill",reason="harm"}`:                                                1,
			`assay_guard_kills_total{outcome="verified"}`:                                                          1,
			`assay_guard_blind_seconds_total{experiment="checkout"}`:                                               4.5,
			`assay_guardrail_verdict{arm="treatment",experiment="checkout",guardrail="errors",verdict="breached"}`: 1,
			`assay_guardrail_verdict{arm="treatment",experiment="checkout",guardrail="errors",verdict="blind"}`:    0,
			`assay_guard_kill_seconds`: 1,
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s is %v (%t), want %v", name, v, ok, want)
			}
		}
	})
}

// TestGaugesOfTheNextIteration: those of an iteration that is over go, and those of the
// next one, whose verdict may be the same, are there.
func TestGaugesOfTheNextIteration(t *testing.T) {
	registry := prometheus.NewRegistry()
	g, err := newGauges(registry)
	if err != nil {
		t.Fatal(err)
	}
	const sample = `assay_guardrail_verdict{arm="treatment",experiment="checkout",guardrail="errors",verdict="healthy"}`
	const put = `assay_guard_exposures_aside{experiment="checkout",why="moved"}`
	v := guardrails.Verdict{Rule: guardrails.Rule{Experiment: "checkout", Metric: "errors", Arm: "treatment"}, Kind: guardrails.Healthy}
	for range 2 {
		g.setVerdict(&v)
		g.setAside("checkout", results.Aside{Moved: 3})
		if got := gather(t, registry); got[sample] != 1 || got[put] != 3 {
			t.Errorf("healthy %v and %v moved, want 1 and 3", got[sample], got[put])
		}
		g.forget("checkout")
		if got := gather(t, registry); len(got) == 0 || got[sample] != 0 || got[put] != 0 {
			t.Errorf("forgotten, and still healthy %v and %v moved", got[sample], got[put])
		}
	}
}

// gather is every sample by its name and labels; of a histogram its count.
func gather(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// TestStuckJournal: an append that hangs costs its timeout and no decision.
func TestStuckJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		w.harmful()
		g := &guard{world: w, t: t}
		parts := g.parts()
		parts.Journal = &stuckOnce{guard: g}
		guarding, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := guarding.Run(ctx); err != nil {
			t.Fatal(err)
		}
		w.checkKilledOnce(t, 0)
		// An entry that landed although its append failed comes back with its hash.
		last := w.entries[len(w.entries)-1].Hash
		guarding.book.read(func(log *guardrails.Log) {
			if log.Head != last || guarding.book.head() != last || last == "" {
				t.Errorf("the head is %q (%q), the last entry's hash %q", log.Head, guarding.book.head(), last)
			}
		})
	})
}

// stuckOnce hangs in its first append, which lands all the same.
type stuckOnce struct {
	*guard
	appended bool
}

func (s *stuckOnce) Append(ctx context.Context, e guardrails.Entry, after string) (string, error) {
	hash, err := s.guard.Append(ctx, e, after)
	if s.appended {
		return hash, err
	}
	s.appended = true
	<-ctx.Done()
	return "", ctx.Err()
}

// lastJudged is the verdict that a guard with these parts gave last.
func lastJudged(parts *Parts) *guardrails.Verdict {
	last := new(guardrails.Verdict)
	parts.Observer = func(e Event) {
		if e.Kind == Judged {
			*last = *e.Verdict
		}
	}
	return last
}
