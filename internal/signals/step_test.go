package signals_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/signals"
)

func minutes(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// ramp is an experiment of three phases: 1 %, from minute 120 on 10 %, from 150 on 50 %.
func ramp() (*experiment.Experiment, *experiment.Iteration) {
	half := []float64{0.5, 0.5}
	settle := experiment.Duration(10 * time.Minute)
	e := &experiment.Experiment{Key: "x", Control: "a", Variants: []experiment.Variant{{Key: "a", Share: 0.5}, {Key: "b", Share: 0.5}}}
	it := &experiment.Iteration{Number: 1, Start: start, End: minutes(1000), EnrolUntil: minutes(900), Phases: []experiment.Phase{
		{Number: 1, From: start, Shares: half, Traffic: 0.01},
		{Number: 2, From: minutes(120), Shares: half, Traffic: 0.1, Settle: settle},
		{Number: 3, From: minutes(150), Shares: half, Traffic: 0.5, Settle: settle},
	}}
	return e, it
}

// TestStretches: an hour before and after at most, without what settles, and never over
// into another phase.
func TestStretches(t *testing.T) {
	e, it := ramp()
	if got := signals.StretchesOf(e, it, minutes(119)); len(got) != 0 {
		t.Errorf("before the first step: %v", got)
	}
	type times struct {
		phase                    uint16
		from, to, settled, until int
		exposed                  [2]float64
		level                    float64
	}
	want := []times{
		{2, 60, 120, 130, 150, [2]float64{0.005, 0.05}, 0.025},
		{3, 130, 150, 160, 220, [2]float64{0.05, 0.25}, 0.0125},
	}
	steps := signals.StretchesOf(e, it, minutes(151))
	for i, s := range steps {
		got := times{s.Phase, 0, 0, 0, 0, s.Exposed, s.Level}
		for at, to := range map[time.Time]*int{s.Before.From: &got.from, s.Before.To: &got.to, s.After.From: &got.settled, s.After.To: &got.until} {
			*to = int(at.Sub(start).Minutes())
		}
		if diff := cmp.Diff(want[i], got, cmp.AllowUnexported(times{})); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	if len(steps) != 2 {
		t.Fatalf("%d steps", len(steps))
	}
	it.End = minutes(170) // it was killed
	if s := signals.StretchesOf(e, it, minutes(500))[1]; !s.After.To.Equal(minutes(170)) {
		t.Errorf("the time after the last step ends at %s", s.After.To)
	}
	it.End = minutes(150)
	if s := signals.StretchesOf(e, it, minutes(500)); len(s) != 1 {
		t.Errorf("%d steps, the last one after the end", len(s))
	}
}

// series are readings of noise with a level that is another one from a minute on.
func series(seed uint64, from, to, step int, height float64) (out []signals.Reading) {
	r := rand.New(rand.NewPCG(seed, 0))
	x := 0.0
	for at := minutes(from); at.Before(minutes(to)); at = at.Add(every) {
		x = 0.5*x + 0.01*r.NormFloat64()
		v := 0.3 + x
		if !at.Before(minutes(step)) {
			v += height
		}
		out = append(out, signals.Reading{At: at, Value: v})
	}
	return out
}

// TestJudgeStep: nothing is said before the time after the step is over; then a change
// is shown with its direction, and none is not.
func TestJudgeStep(t *testing.T) {
	e, it := ramp()
	it.Phases = it.Phases[:2]
	s := &experiment.Signal{Name: "p99", Query: "q", Unit: "s", Direction: experiment.Decrease}
	judge := func(height float64, now time.Time, spoil func([]signals.Reading) []signals.Reading) signals.Step {
		readings := series(3, 0, 250, 120, height)
		if spoil != nil {
			readings = spoil(readings)
		}
		return signals.JudgeStep(s, signals.StretchesOf(e, it, now)[0], readings, now, every)
	}
	due := minutes(190).Add(every)
	if got := judge(0.1, due.Add(-time.Millisecond), nil); got.Verdict != signals.Waiting || got.Shift != nil {
		t.Errorf("too early: %+v", got)
	}
	got := judge(0.1, due, nil)
	if got.Verdict != signals.Changed || !got.Worse || got.Shift == nil || got.Shift.Low > 0.1 || got.Shift.High < 0.1 || got.Shift.P >= got.Level {
		t.Errorf("slower by 0.1 s: %+v, %+v", got, got.Shift)
	}
	if !strings.Contains(got.Text, "for the worse") || !strings.Contains(got.Text, "other things may have changed") {
		t.Errorf("it says %q", got.Text)
	}
	if got.Before.Readings != 240 || got.After.Readings != 240 || got.Before.Gaps != 0 || *got.After.Mean-*got.Before.Mean < 0.09 {
		t.Errorf("before %+v, after %+v", got.Before, got.After)
	}
	if got := judge(-0.1, due, nil); got.Verdict != signals.Changed || got.Worse || !strings.Contains(got.Text, "for the better") {
		t.Errorf("faster by 0.1 s: %+v", got)
	}
	if got := judge(0, due, nil); got.Verdict != signals.NotShown || got.Shift == nil {
		t.Errorf("no change: %+v", got)
	}
	got = judge(0.1, due, func(all []signals.Reading) []signals.Reading {
		for i := range all {
			if i%2 == 1 {
				all[i] = signals.Reading{At: all[i].At, Gap: signals.TimedOut}
			}
		}
		return all
	})
	if got.Verdict != signals.Changed || got.Before.Gaps != 120 || got.After.Readings != 120 || *got.After.Mean < 0.35 {
		t.Errorf("every second reading is missing: %+v", got)
	}
	got = judge(0.1, due, func(all []signals.Reading) []signals.Reading { return all[:len(all)/4] })
	if got.Verdict != signals.TooLittle || got.Shift != nil || got.After.Mean != nil {
		t.Errorf("nothing was read after the step: %+v", got)
	}
	// The same whenever it is judged: what comes later changes nothing.
	if diff := cmp.Diff(judge(0.1, due, nil), judge(0.1, due.Add(time.Hour), nil)); diff != "" {
		t.Errorf("judged an hour later (-then +now):\n%s", diff)
	}
}
