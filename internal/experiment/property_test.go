package experiment

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever is edited, killed and resumed in whatever order: an apply is either
// refused or keeps every fact of the past; the same files applied again change
// nothing; and every version is valid and survives its encoding.
//
// semantics: timeline pinned
func TestRandomHistories(t *testing.T) {
	metrics := load(t, "good/metrics/*.yaml")
	rapid.Check(t, func(t *rapid.T) {
		second := 200
		d := &draft{window: 7, split: 50, margin: 1, goals: []string{"purchases"}, mode: "notify",
			iterations: []draftIteration{{number: 1, phases: []draftPhase{{traffic: 10}, {from: &second, traffic: 50}}}}}
		var v *Version
		now := 0
		for range rapid.IntRange(1, 16).Draw(t, "steps") {
			now += rapid.IntRange(0, 200).Draw(t, "hours later")
			at := hour(now)
			tried := d.clone()
			var next *Version
			switch act := rapid.IntRange(0, 15).Draw(t, "act"); {
			case v != nil && act == 0:
				next, _ = v.Kill("x", at, 7, "harm", "guard", at)
			case v != nil && act == 1:
				next, _ = v.Resume("x", rapid.SampledFrom([]float64{0, 0.02}).Draw(t, "rearm"), "mended", "oncall", at)
			default:
				tried.edit(t, now)
				next = applyDraft(t, metrics, tried, v, at)
			}
			if next == nil {
				continue
			}
			d = tried
			checkVersion(t, v, next, at)
			v = next
		}
	})
}

// applyDraft applies a file and, when it was taken, applies it once more.
func applyDraft(t *rapid.T, metrics []File, d *draft, v *Version, at time.Time) *Version {
	files := append(slices.Clone(metrics), File{Name: "metrics/purchases.yaml", Data: fmt.Appendf(nil,
		"name: purchases\nowner: o\nevent: purchase_%d\nkind: count\ndirection: increase\nwindow: %dd\n", d.event, 1+d.event%10)})
	if !d.gone {
		files = append(files, File{Name: "experiments/x.yaml", Data: []byte(d.text())})
	}
	set, problems := Parse(files)
	if problems != nil {
		return nil
	}
	next, changes, problems := Apply(v, set, at, "operator")
	if problems != nil {
		for _, p := range problems {
			if p.Rule != RuleFileGone && (p.File == "" || p.Line == 0) {
				t.Fatalf("a problem without a place: %v", p)
			}
		}
		return nil
	}
	if (next == nil) != (len(changes) == 0) {
		t.Fatalf("version %v with changes %v\n%s", next, changes, d.text())
	}
	if next == nil {
		return nil
	}
	if again, _, problems := Apply(next, set, at.Add(5*time.Hour), "operator"); again != nil || problems != nil {
		t.Fatalf("applied again: %v, %v\n%s", problems, cmp.Diff(next, again), d.text())
	}
	return next
}

func checkVersion(t *rapid.T, before, next *Version, at time.Time) {
	if err := next.Validate(); err != nil {
		t.Fatalf("invalid: %v", err)
	}
	decoded, err := Decode(Encode(next))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(next, decoded); diff != "" {
		t.Fatalf("decoded differs:\n%s", diff)
	}
	if !bytes.Equal(Encode(next), Encode(decoded)) {
		t.Fatal("encoded twice differs")
	}
	if before == nil {
		return
	}
	if next.Number != before.Number+1 || next.AppliedAt.Before(before.AppliedAt) {
		t.Fatalf("version %d at %s follows %d at %s", next.Number, next.AppliedAt, before.Number, before.AppliedAt)
	}
	for i := range before.Experiments {
		was := &before.Experiments[i]
		for j := range was.Iterations {
			if it := &was.Iterations[j]; !it.Start.After(at) {
				checkKept(t, was, it, next.Find(was.Key), at)
			}
		}
	}
}

// checkKept holds an iteration that had begun against the next version.
func checkKept(t *rapid.T, was *Experiment, old *Iteration, is *Experiment, at time.Time) {
	if is == nil || len(is.Iterations) < int(old.Number) {
		t.Fatalf("iteration %d is gone", old.Number)
	}
	it := &is.Iterations[old.Number-1]
	if !it.Start.Equal(old.Start) || it.Salt != old.Salt || it.Retrospective != old.Retrospective ||
		it.NotifyOnly != old.NotifyOnly || it.AlphaKill != old.AlphaKill || it.KillRules != old.KillRules || it.Resumes != old.Resumes {
		t.Fatalf("iteration %d was\n%+v\nand is\n%+v", it.Number, old, it)
	}
	if old.Killed != nil && (it.Killed == nil || *it.Killed != *old.Killed || !it.End.Equal(old.End)) {
		t.Fatalf("a killed iteration rose: %+v", it)
	}
	for _, end := range [][2]time.Time{{old.EnrolUntil, it.EnrolUntil}, {old.End, it.End}} {
		if !end[0].Equal(end[1]) && (!end[0].After(at) || end[1].Before(at)) {
			t.Fatalf("at %s an end moved from %s to %s", at, end[0], end[1])
		}
	}
	for k, p := range old.Phases {
		if p.From.Before(at) && (len(it.Phases) <= k || cmp.Diff(p, it.Phases[k]) != "") {
			t.Fatalf("phase %d was %+v and is now of %+v", p.Number, p, it.Phases)
		}
	}
	for k, p := range it.Phases {
		if p.From.Before(at) && k >= len(old.Phases) {
			t.Fatalf("at %s phase %d came up in the past: %+v", at, p.Number, p)
		}
	}
	for _, m := range old.Metrics {
		if now := it.Metric(m.Name); now == nil || cmp.Diff(m, *now) != "" {
			t.Fatalf("metric %s was %+v and is %+v", m.Name, m, now)
		}
	}
	checkDesignKept(t, was.AsOf(old), is.AsOf(it), old)
}

// checkDesignKept: what counts and judges an iteration that has begun is the same.
func checkDesignKept(t *rapid.T, was, is *Experiment, it *Iteration) {
	type fixed struct {
		Variants []Variant
		Control  string
		Window   Duration
		Alpha    float64
		Budget   float64
		Margins  map[string]float64
	}
	of := func(e *Experiment) fixed {
		f := fixed{e.Variants, e.Control, e.Window, e.Alpha, e.AlphaKill, map[string]float64{}}
		for _, g := range e.Guardrails {
			if slices.Contains(it.KillGuardrails, g.Metric) {
				f.Margins[g.Metric] = g.Margin
			}
		}
		return f
	}
	if diff := cmp.Diff(of(was), of(is)); diff != "" {
		t.Fatalf("the design of iteration %d changed:\n%s", it.Number, diff)
	}
}
