package main

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// afterFirst calls stop with the first thing that is written to it: when a scenario is done.
type afterFirst struct{ stop func() }

func (a afterFirst) Write(b []byte) (int, error) {
	a.stop()
	return len(b), nil
}

// TestInterruptedRunGoesOn: what was done before an interruption is kept, what was not,
// is made.
func TestInterruptedRunGoesOn(t *testing.T) {
	o := options{dir: t.TempDir(), commit: "abc", seed: 3, replicates: 2, only: "^split, (50|90)"}
	ctx, stop := context.WithCancel(t.Context())
	if err := calibrate(ctx, afterFirst{stop}, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	done := files(t, o.dir)
	if len(done) != 1 {
		t.Fatalf("%d results after one scenario", len(done))
	}
	if err := calibrate(t.Context(), io.Discard, o); err != nil {
		t.Fatal(err)
	}
	all := files(t, o.dir)
	if len(all) != 2 {
		t.Fatalf("%d results in the end, want 2", len(all))
	}
	for name, before := range done {
		if all[name] != before {
			t.Errorf("%s was made again", name)
		}
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = info.ModTime().String() + string(b)
	}
	return out
}

// TestPage: the page is of all results, and names what misses.
func TestPage(t *testing.T) {
	dir := t.TempDir()
	o := options{page: filepath.Join(dir, "page.md"), images: dir}
	all := []outcome{
		{Scenario: "one", Replicates: 100, Commit: "abc", Seconds: 90, CPU: 120, Figures: []measure{
			{Name: "kill", Mean: .2, SD: .4, Bound: bound{atMost, alpha, 0}}, {Name: "kept", Mean: .01, Bound: bound{atMost, alpha, 0}, Passes: true}}},
		{Scenario: "two", Replicates: 100, Figures: []measure{
			{Name: "mean units at the stop ÷ fixed plan", Mean: .8, Bound: bound{about, .79, .01}, Passes: true},
			{Name: "Wald: mean units at the stop ÷ fixed plan", Mean: .6, Bound: bound{Kind: shown}, Passes: true}}},
	}
	if err := writePage(o, all); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"commit abc, seed 0, 2 scenarios, 100 replicates of each; 2 minutes, in which it had 2 minutes of processor time",
		"- **one**: kill, observed 0.2000, target at most 0.05. A guardrail on such a metric may only notify.", "0.79 ± 0.01 | holds",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for name, want := range map[string]string{"calibration.svg": ">one</text>", "calibration-units.svg": ">two</text>"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %s: %v", name, want, err)
		}
	}
}

// TestMoreReplicates: a result of few replicates is gone on with, to the same figures as
// if all had been made at once.
func TestMoreReplicates(t *testing.T) {
	o := options{dir: t.TempDir(), commit: "abc", seed: 3, replicates: 7}
	s := find(t, "power with twice the effect")
	s.figures = slices.DeleteFunc(s.figures, func(f figure) bool { return f.median })
	few, err := o.outcome(t.Context(), s, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.replicates = 12
	more, err := o.outcome(t.Context(), s, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.dir = t.TempDir()
	whole, err := o.outcome(t.Context(), s, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if few.Replicates != 7 || more.Replicates != 12 {
		t.Errorf("%d, then %d replicates", few.Replicates, more.Replicates)
	}
	varies := false
	for i, want := range whole.Figures {
		got := more.Figures[i]
		varies = varies || want.SD > 0
		if math.Abs(got.Mean-want.Mean) > 1e-12 || math.Abs(got.SD-want.SD) > 1e-12 || got.Passes != want.Passes || math.Abs(got.Reach-want.Reach) > 1e-12 {
			t.Errorf("%s: %+v, at once %+v", want.Name, got, want)
		}
	}
	if !varies {
		t.Error("no figure varies: the joining of deviations is not seen")
	}
}
