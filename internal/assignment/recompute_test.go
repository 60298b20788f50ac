package assignment

import (
	"fmt"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/bucketing"
	"github.com/assay-dev/assay/internal/experiment"
)

// assignedBy is an experiment whose units another system assigns: half of them take part.
func assignedBy(a experiment.Assignment, traffic float64) *experiment.Experiment {
	e := running("cta", experiment.Assignment{}, traffic)
	e.Assignment, e.KillSwitch = &a, "flags"
	return &e
}

func seen(unit, variant string, attributes map[string]string) Seen {
	return Seen{At: start, Unit: unit, UnitKind: "user", Variant: variant, Attribute: func(name string) (string, bool) {
		v, ok := attributes[name]
		return v, ok
	}}
}

// TestRecompute: what a system gives its units matches, in each of them; with another
// seed most do not, and one of the first hundred shows it.
func TestRecompute(t *testing.T) {
	weights := []float64{0.5, 0.3, 0.2}
	for _, c := range []struct {
		a       experiment.Assignment
		traffic float64
		gives   func(unit string) int
	}{
		{experiment.Assignment{System: experiment.GrowthBook, Seed: "s"}, 0.5,
			func(u string) int { return bucketing.GrowthBookVariation(bucketing.UTF16, "s", u, 0.5, weights) }},
		{experiment.Assignment{System: experiment.Unleash, Seed: "s", Dialect: experiment.DialectLowByte}, 0.5, func(u string) int {
			if !bucketing.UnleashRollout(bucketing.LowByte, "s", u, 50) {
				return -1
			}
			return bucketing.UnleashVariant(bucketing.LowByte, "s", u, []uint32{500, 300, 200})
		}},
		{experiment.Assignment{System: experiment.FlagdV2, Seed: "s"}, 1, func(u string) int { return bucketing.Flagd("s"+u, []uint32{50, 30, 20}) }},
		{experiment.Assignment{System: experiment.LaunchDarkly, Seed: "flag.s"}, 1, func(u string) int {
			return bucketing.LaunchDarklyVariation(bucketing.LaunchDarkly("flag.s", u), []uint32{50_000, 30_000, 20_000})
		}},
		{experiment.Assignment{System: experiment.Eppo, Seed: "s"}, 1, func(u string) int {
			switch shard := bucketing.Eppo("s", u, 10_000); {
			case shard < 5000:
				return 0
			case shard < 8000:
				return 1
			default:
				return 2
			}
		}},
		{experiment.Assignment{System: experiment.Assay}, 0.5, func(u string) int {
			if d := plan(*assignedBy(experiment.Assignment{System: experiment.Assay}, 0.5), 0).Decide(u, nil); d.In() {
				return d.Variant
			}
			return -1
		}},
	} {
		e := assignedBy(c.a, c.traffic)
		wrong := *e
		other := c.a
		other.Seed = "another"
		if wrong.Assignment = &other; other.System == experiment.Assay {
			wrong.Iterations = append([]experiment.Iteration{}, e.Iterations...)
			wrong.Iterations[0].Salt = "another"
		}
		bad, first, out := 0, 0, 0
		for i, u := range units(20_000) {
			given := c.gives(u)
			if given < 0 {
				out++
				if v := Recompute(e, seen(u, "control", nil)); v != NotInPhase {
					t.Fatalf("%s: %s takes no part and is a %s", c.a.System, u, v)
				}
				continue
			}
			variant := e.Variants[given].Key
			if v := Recompute(e, seen(u, variant, nil)); v != Match {
				t.Fatalf("%s: %s in %s is a %s", c.a.System, u, variant, v)
			}
			if Recompute(&wrong, seen(u, variant, nil)) != Match {
				if bad++; i < 100 {
					first++
				}
			}
		}
		near(t, string(c.a.System)+" takes no part", out, 20_000, 1-c.traffic)
		if bad < 4_000 || first < 10 {
			t.Errorf("%s: with another seed %d of 20,000 are wrong, %d of the first hundred", c.a.System, bad, first)
		}
	}
}

// TestRecomputeNextStep: while a step of a ramp is the newest that is known, a unit of the
// next one may have been shown its variant already. That is no finding, neither for it nor
// against it; everything else is as without a ramp.
func TestRecomputeNextStep(t *testing.T) {
	e := assignedBy(experiment.Assignment{System: experiment.Assay}, 0.1)
	it := &e.Iterations[0]
	it.Ramp = &experiment.Ramp{Steps: []experiment.RampStep{{Traffic: 0.1}, {Traffic: 0.5}, {Traffic: 1}}}
	it.Phases[0].Step = 1
	by := func(traffic float64, unit string) int {
		if d := plan(*assignedBy(experiment.Assignment{System: experiment.Assay}, traffic), 0).Decide(unit, nil); d.In() {
			return d.Variant
		}
		return -1
	}
	reverted := *e
	reverted.Iterations = []experiment.Iteration{*it}
	reverted.Iterations[0].Phases = []experiment.Phase{it.Phases[0]}
	reverted.Iterations[0].Phases[0].Reverted = true
	later := *e // the next step is known to begin in an hour
	later.Iterations = []experiment.Iteration{*it}
	second := it.Phases[0]
	second.Number, second.Step, second.Traffic, second.From = 2, 2, 0.5, start.Add(time.Hour)
	later.Iterations[0].Phases = []experiment.Phase{it.Phases[0], second}
	last := *e
	last.Iterations = []experiment.Iteration{*it}
	last.Iterations[0].Phases = []experiment.Phase{it.Phases[0]}
	last.Iterations[0].Phases[0].Step = 3
	var next, out int
	for _, u := range units(2000) {
		now, then := by(0.1, u), by(0.5, u)
		var want Verdict
		switch {
		case now >= 0:
			want = Match
		case then < 0:
			want = NotInPhase
			out++
		default:
			next++
		}
		shown := e.Variants[max(now, then, 0)].Key
		if v := Recompute(e, seen(u, shown, nil)); v != want {
			t.Fatalf("%s in %s is %q, want %q", u, shown, v, want)
		}
		if now >= 0 {
			continue
		}
		other := e.Variants[(max(then, 0)+1)%len(e.Variants)].Key
		if v := Recompute(e, seen(u, other, nil)); v != NotInPhase {
			t.Fatalf("%s, not in traffic and in another variant than its next, is %q", u, v)
		}
		for name, known := range map[string]*experiment.Experiment{"reverted": &reverted, "the next step is known": &later, "the last step": &last} {
			if v := Recompute(known, seen(u, shown, nil)); v != NotInPhase {
				t.Fatalf("%s: %s is %q", name, u, v)
			}
		}
	}
	near(t, "units of the next step", next, 2000, 0.4)
	near(t, "units of neither", out, 2000, 0.5)
}

// TestRecomputeAside: what was not drawn, and what nobody can know.
func TestRecomputeAside(t *testing.T) {
	e := assignedBy(experiment.Assignment{System: experiment.Eppo, Seed: "s", Forced: []experiment.Condition{{"sticky": "true"}, {"qa": "1", "staff": "1"}}}, 1)
	unit := ""
	for i := range 100 {
		if unit = fmt.Sprint("u-", i); Recompute(e, seen(unit, "red", nil)) == Mismatch {
			break
		}
	}
	early := seen(unit, "red", nil)
	early.At = start.Add(-1)
	device := seen(unit, "red", nil)
	device.UnitKind = "device"
	for name, c := range map[string]struct {
		s    Seen
		want Verdict
	}{
		"drawn":              {seen(unit, "red", map[string]string{"sticky": "false", "qa": "1"}), Mismatch},
		"sticky":             {seen(unit, "red", map[string]string{"sticky": "true"}), Override},
		"staff in a test":    {seen(unit, "red", map[string]string{"qa": "1", "staff": "1"}), Override},
		"no such variant":    {seen(unit, "green", nil), ""},
		"another kind":       {device, ""},
		"before its start":   {early, ""},
		"of nobody's system": {seen(unit, "red", nil), ""},
	} {
		x := e
		if name == "of nobody's system" {
			x = assignedBy(experiment.Assignment{}, 1)
			x.Assignment = nil
		}
		if got := Recompute(x, c.s); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func BenchmarkRecompute(b *testing.B) {
	list := units(1024)
	for _, s := range []experiment.System{experiment.GrowthBook, experiment.Unleash, experiment.FlagdV2, experiment.LaunchDarkly, experiment.Eppo, experiment.Assay} {
		b.Run(string(s), func(b *testing.B) {
			e := assignedBy(experiment.Assignment{System: s, Seed: "seed"}, 1)
			at := seen("", "red", nil)
			for i := 0; b.Loop(); i++ {
				at.Unit = list[i&1023]
				Recompute(e, at)
			}
		})
	}
}
