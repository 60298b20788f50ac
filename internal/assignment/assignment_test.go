package assignment

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
)

// The draws are those that another program makes of the published formula.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Salt, Kind, Unit string
		Label            Label
		Part             uint32
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 200 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		if got := Draw(v.Salt, v.Label, v.Kind, v.Unit); got != v.Part {
			t.Errorf("%+v: drawn %d", v, got)
		}
	}
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// running is an experiment that runs since start with one phase a day.
func running(key string, a experiment.Assignment, traffic ...float64) experiment.Experiment {
	a.System = experiment.Assay
	it := experiment.Iteration{Number: 1, Start: start, EnrolUntil: start.AddDate(0, 0, 20), End: start.AddDate(0, 0, 30)}
	for i, tr := range traffic {
		it.Phases = append(it.Phases, experiment.Phase{Number: uint16(i + 1), From: start.AddDate(0, 0, i), Shares: []float64{0.5, 0.3, 0.2}, Traffic: tr})
	}
	return experiment.Experiment{
		Key: key, UnitKind: "user", Control: "control", Assignment: &a, KillSwitch: experiment.OwnSwitch,
		Variants:   []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "blue", Share: 0.3}, {Key: "red", Share: 0.2}},
		Iterations: []experiment.Iteration{it},
	}
}

// plan is that of the only experiment, some days after the start.
func plan(e experiment.Experiment, days int, off ...Off) *Plan {
	set := SetOf(&experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}}, offs(off...), start.AddDate(0, 0, days))
	return set.Find(e.Key)
}

func offs(off ...Off) map[Off]bool {
	out := map[Off]bool{}
	for _, o := range off {
		out[o] = true
	}
	return out
}

func units(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("u-", i)
		if i%10 == 0 {
			out[i] = fmt.Sprint("ü-日-", i)
		}
	}
	return out
}

// near fails when a count is more than five standard deviations from its share.
func near(t *testing.T, what string, got, of int, share float64) {
	t.Helper()
	if sd := math.Sqrt(float64(of) * share * (1 - share)); math.Abs(float64(got)-float64(of)*share) > 5*sd {
		t.Errorf("%s: %d of %d, want about %g", what, got, of, float64(of)*share)
	}
}

// Of 20,000 units the shares of traffic and variants are what the file says.
func TestShares(t *testing.T) {
	p := plan(running("x", experiment.Assignment{}, 0.4), 0)
	in, each := 0, [3]int{}
	for _, u := range units(20_000) {
		if d := p.Decide(u, nil); d.In() {
			in++
			each[d.Variant]++
		} else if d.Variant != 0 || d.Why != NotInShare {
			t.Fatalf("%s: %+v", u, d)
		}
	}
	near(t, "traffic", in, 20_000, 0.4)
	for i, share := range []float64{0.5, 0.3, 0.2} {
		near(t, fmt.Sprint("variant ", i), each[i], in, share)
	}
}

// Who draws low for the traffic is spread over the variants as everybody else.
func TestDrawsAreIndependent(t *testing.T) {
	const cells = 4
	for _, pair := range [][2]Label{{Traffic, Variant}, {Traffic, Sample}, {Variant, Sample}} {
		var seen [cells][cells]int
		for _, u := range units(20_000) {
			seen[Draw("x:1", pair[0], "user", u)*cells/experiment.Million][Draw("x:1", pair[1], "user", u)*cells/experiment.Million]++
		}
		for i := range seen {
			for j, n := range seen[i] {
				near(t, fmt.Sprint(pair, i, j), n, 20_000, 1.0/cells/cells)
			}
		}
	}
}

// A ramp of any shape moves no unit between variants: who is in at two shares of
// traffic has one variant, and who is in at a share is in at every larger one.
func TestRampMovesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		traffic := rapid.SliceOfN(rapid.Float64Range(0, 1), 2, 6).Draw(t, "traffic")
		unit := rapid.String().Draw(t, "unit")
		e := running(rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "key"), experiment.Assignment{}, traffic...)
		for i := range traffic {
			a := plan(e, i).Decide(unit, nil)
			for j := range traffic {
				b := plan(e, j).Decide(unit, nil)
				if a.In() && b.In() && a.Variant != b.Variant {
					t.Fatalf("phase %d gives variant %d, phase %d %d", i+1, a.Variant, j+1, b.Variant)
				}
				if a.In() && !b.In() && traffic[j] >= traffic[i] {
					t.Fatalf("in at %g, out at %g", traffic[i], traffic[j])
				}
			}
		}
	})
}

// A unit is in at most one experiment of a group, whatever their traffic, and each
// has its part of all units.
func TestGroupsExcludeOneAnother(t *testing.T) {
	group := func(from, to uint32) experiment.Assignment {
		return experiment.Assignment{Group: &experiment.GroupRange{Name: "page", From: from, To: to}}
	}
	v := &experiment.Version{Number: 1, Experiments: []experiment.Experiment{
		running("a", group(0, 300_000), 1), running("b", group(300_000, 900_000), 1), running("c", group(900_000, 1_000_000), 1),
	}}
	set := SetOf(v, nil, start)
	counts := [3]int{}
	for _, u := range units(20_000) {
		in := 0
		for i := range set.Plans {
			if set.Plans[i].Decide(u, nil).In() {
				counts[i]++
				in++
			}
		}
		if in != 1 {
			t.Fatalf("%s is in %d experiments", u, in)
		}
	}
	for i, share := range []float64{0.3, 0.6, 0.1} {
		near(t, v.Experiments[i].Key, counts[i], 20_000, share)
	}
}

// A holdout keeps the same units out of all experiments that name it, and no others.
func TestHoldouts(t *testing.T) {
	quarter := experiment.Assignment{Holdouts: []experiment.Holdout{{Name: "q3", Parts: 100_000}}}
	set := SetOf(&experiment.Version{Number: 1, Experiments: []experiment.Experiment{running("a", quarter, 1), running("b", quarter, 1), running("c", experiment.Assignment{}, 1)}}, nil, start)
	held := 0
	for _, u := range units(20_000) {
		a, b, c := set.Plans[0].Decide(u, nil), set.Plans[1].Decide(u, nil), set.Plans[2].Decide(u, nil)
		if a.Why != b.Why || !c.In() {
			t.Fatalf("%s: %+v %+v %+v", u, a, b, c)
		}
		if a.Why == HeldOut {
			held++
		}
	}
	near(t, "held out", held, 20_000, 0.1)
}

func TestEligible(t *testing.T) {
	e := running("x", experiment.Assignment{Eligible: []experiment.Audience{
		{"country": {"DE", "AT"}, "plan": {"pro"}}, {"country": {"CH"}},
	}}, 1)
	for _, c := range []struct {
		attributes map[string]string
		in         bool
	}{
		{map[string]string{"country": "DE", "plan": "pro"}, true},
		{map[string]string{"country": "AT", "plan": "pro", "age": "7"}, true},
		{map[string]string{"country": "CH"}, true},
		{map[string]string{"country": "DE", "plan": "free"}, false},
		{map[string]string{"country": "DE"}, false},
		{map[string]string{"country": "de", "plan": "pro"}, false},
		{nil, false},
	} {
		if d := plan(e, 0).Decide("u-1", c.attributes); d.In() != c.in || !c.in && d.Why != NotEligible {
			t.Errorf("%v: %+v", c.attributes, d)
		}
	}
}

// Turning off gives everybody the control; turning off an arm moves nobody but its
// own units, before the version says so and after.
func TestTurnedOff(t *testing.T) {
	e := running("x", experiment.Assignment{}, 1, 1)
	armOff := e
	armOff.Iterations = []experiment.Iteration{e.Iterations[0]}
	armOff.Iterations[0].ArmsOff = []experiment.ArmOff{{Variant: "red", At: start}}
	armOff.Iterations[0].Phases = []experiment.Phase{{Number: 1, From: start, Shares: []float64{0.625, 0.375, 0}, Declared: []float64{0.5, 0.3, 0.2}, Traffic: 1, ArmsOff: true}}
	killed := e
	killed.Iterations = []experiment.Iteration{e.Iterations[0]}
	killed.Iterations[0].End, killed.Iterations[0].Killed = start.Add(time.Hour), &experiment.Killed{At: start.Add(time.Hour)}
	for _, u := range units(2_000) {
		before := plan(e, 1).Decide(u, nil)
		if d := plan(e, 1, Off{"x", 1, ""}).Decide(u, nil); d.Variant != 0 || d.Why != TurnedOff {
			t.Fatalf("%s after a kill: %+v", u, d)
		}
		if d := plan(killed, 1).Decide(u, nil); d.Variant != 0 || d.Why != TurnedOff {
			t.Fatalf("%s in the version after a kill: %+v", u, d)
		}
		for what, p := range map[string]*Plan{"before": plan(e, 1, Off{"x", 1, "red"}), "in": plan(armOff, 1)} {
			want := before
			if before.Variant == 2 {
				want.Variant, want.Why = 0, ArmOff
			}
			if d := p.Decide(u, nil); d != want {
				t.Fatalf("%s %s the version: %+v, want %+v", u, what, d, want)
			}
		}
		if d := plan(e, 1, Off{"x", 2, ""}, Off{"y", 1, ""}).Decide(u, nil); d != before {
			t.Fatalf("%s moved when others were turned off: %+v", u, d)
		}
	}
}

// A resumed iteration draws as the one before it; a new one draws anew.
func TestIterations(t *testing.T) {
	e := running("x", experiment.Assignment{}, 1)
	first := e.Iterations[0]
	first.End = start.AddDate(0, 0, 1)
	again, fresh := first, first
	again.Number, again.Resumes, fresh.Number = 2, 1, 3
	for i, it := range []*experiment.Iteration{&again, &fresh} {
		it.Start, it.End = start.AddDate(0, 0, i+1), start.AddDate(0, 0, i+2)
		it.Phases = []experiment.Phase{{Number: 1, From: it.Start, Shares: []float64{0.5, 0.3, 0.2}, Traffic: 1}}
	}
	e.Iterations = []experiment.Iteration{first, again, fresh}
	moved := 0
	for _, u := range units(1_000) {
		one, two, three := plan(e, 0).Decide(u, nil), plan(e, 1).Decide(u, nil), plan(e, 2).Decide(u, nil)
		if one != two {
			t.Fatalf("%s: %+v, resumed %+v", u, one, two)
		}
		if one.Variant != three.Variant {
			moved++
		}
	}
	near(t, "moved by a new iteration", moved, 1_000, 1-0.25-0.09-0.04)
	for day, want := range map[int]Why{-1: NotRunning, 3: NotRunning} {
		if d := plan(e, day).Decide("u-1", nil); d.Why != want || d.Variant != 0 {
			t.Errorf("day %d: %+v", day, d)
		}
	}
}

// Until is the next border of any experiment that assay assigns.
func TestUntil(t *testing.T) {
	a, b := running("a", experiment.Assignment{}, 0.1, 0.5), running("b", experiment.Assignment{}, 1)
	other := running("c", experiment.Assignment{}, 0.1, 0.5)
	other.Assignment = nil
	v := &experiment.Version{Experiments: []experiment.Experiment{a, b, other}}
	for days, want := range map[int]time.Time{-1: start, 0: start.AddDate(0, 0, 1), 1: start.AddDate(0, 0, 30), 30: {}} {
		set := SetOf(v, nil, start.AddDate(0, 0, days))
		if !set.Until.Equal(want) || len(set.Plans) != 2 || set.Find("c") != nil {
			t.Errorf("day %d: until %s, %d plans", days, set.Until, len(set.Plans))
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	p := plan(running("x", experiment.Assignment{}, 1), 0)
	list := units(1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Decide(list[i&1023], nil)
	}
}
