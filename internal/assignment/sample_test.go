package assignment

import (
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
)

// sampled runs since start with a phase a day: everybody, then less and less.
func sampled(samples ...float64) experiment.Experiment {
	traffic := make([]float64, len(samples))
	for i := range traffic {
		traffic[i] = 1
	}
	e := running("feed", experiment.Assignment{}, traffic...)
	for i, s := range samples {
		e.Iterations[0].Phases[i].Sample = s
	}
	return e
}

// Whole units are measured, in all arms alike, and who is measured at a share is at every
// larger one; nobody gets another variant by it.
func TestSampling(t *testing.T) {
	e := sampled(0, 0.5, 0.1)
	all, last := plan(e, 0), [3]*Plan{plan(e, 0), plan(e, 1), plan(e, 2)}
	var in [3]int
	var arms, kept [3]int
	for _, u := range units(20_000) {
		was := false // left out
		for i, p := range last {
			d := p.Decide(u, nil)
			if whole := all.Decide(u, nil); d.Variant != whole.Variant || d.Why != whole.Why {
				t.Fatalf("%s: %+v, measured whole %+v", u, d, whole)
			}
			if was && !d.LeftOut {
				t.Fatalf("%s is measured at the lesser share %g only", u, p.Sample())
			}
			if was = d.LeftOut; !was {
				in[i]++
			}
			if i == 1 {
				arms[d.Variant]++
				if !was {
					kept[d.Variant]++
				}
			}
		}
	}
	for i, share := range []float64{1, 0.5, 0.1} {
		near(t, "measured", in[i], 20_000, share)
	}
	for v := range arms {
		near(t, "measured of an arm", kept[v], arms[v], 0.5)
	}
}

// What a client is told and what is drawn again for its exposure are one draw; the share
// that the exposure carries matters only when it is less.
func TestCheckSample(t *testing.T) {
	e := sampled(0, 0.1)
	p := plan(e, 1)
	for _, u := range units(2_000) {
		d := p.Decide(u, nil)
		s := seen(u, e.Variants[d.Variant].Key, nil)
		s.At = start.AddDate(0, 0, 1)
		for _, c := range []struct {
			kept float64
			want SampleVerdict
		}{{0, ""}, {0.1, ""}, {1, ""}, {0.08, LessKept}} {
			if d.LeftOut {
				c.want = LeftOut
			}
			if got := CheckSample(&e, s, c.kept); got != c.want {
				t.Fatalf("%s, kept %g: %q, want %q", u, c.kept, got, c.want)
			}
		}
		s.At = start // everybody is measured
		if got := CheckSample(&e, s, 0.1); got != LessKept {
			t.Fatalf("%s: kept a tenth where all are measured: %q", u, got)
		}
	}
	other := seen("u", "no such", nil)
	whole := running("feed", experiment.Assignment{}, 1)
	if got := CheckSample(&e, other, 0.01); got != "" {
		t.Errorf("an unknown variant: %q", got)
	}
	if got := CheckSample(&whole, seen("u", "control", nil), 0.01); got != "" {
		t.Errorf("an experiment that does not sample: %q", got)
	}
}
