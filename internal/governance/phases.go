package governance

import (
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// shareDust is the rounding of shares that were multiplied.
const shareDust = 1e-12

// stretch is a phase with its beginning decided.
type stretch struct {
	from    time.Time // zero: it has begun
	traffic float64
	kept    float64            // share of those that take part that is measured
	arms    map[string]float64 // of the eligible units, by variant
}

// phases compares, at every time from now on at which either side changes, how many of
// the eligible units see each treatment, and how many take part at all.
func (c *comparison) phases(was, is *experiment.Iteration) {
	before := stretches(c.was.AsOf(was).Variants, was, nil, c.at)
	after := stretches(c.is.AsOf(is).Variants, is, was, c.at)
	told := map[string]bool{}
	for _, t := range c.times(before, after, was, is) {
		a, b := covering(before, t), covering(after, t)
		at := ""
		if t.After(c.at) {
			at = " from " + stamp(t)
		}
		if sign := signOf(a.kept - b.kept); sign != 0 && !told["sample"] {
			told["sample"] = true
			c.more(sign, "iteration %d: sample %s → %s%s: harm is seen sooner with more units, later with fewer", is.Number, percent(a.kept), percent(b.kept), at)
		}
		for _, arm := range c.differing(a, b) {
			x, y := a.arms[arm], b.arms[arm]
			what := "share of " + arm
			if arm == "" {
				x, y, what = a.traffic, b.traffic, "traffic"
			}
			sign := signOf(y - x)
			if fact := what + strings.Repeat("+", sign+1); !told[fact] {
				told[fact] = true
				c.more(sign, "iteration %d: %s %s → %s%s", is.Number, what, percent(x), percent(y), at)
			}
		}
	}
}

// differing names what differs of two stretches: "" for the traffic, and arms where the
// split is another too.
func (c *comparison) differing(a, b stretch) (out []string) {
	if signOf(b.traffic-a.traffic) != 0 {
		out = append(out, "")
	}
	for _, v := range c.is.Variants {
		if v.Key == c.is.Control {
			continue
		}
		moved := a.arms[v.Key]*b.traffic - b.arms[v.Key]*a.traffic // other than the traffic moves it
		if signOf(moved) != 0 && signOf(b.arms[v.Key]-a.arms[v.Key]) != 0 {
			out = append(out, v.Key)
		}
	}
	return out
}

func signOf(x float64) int {
	switch {
	case x > shareDust:
		return 1
	case x < -shareDust:
		return -1
	}
	return 0
}

// times are those at which to compare: now, or when the later of both has begun, and
// every change after it, while both last.
func (c *comparison) times(before, after []stretch, was, is *experiment.Iteration) []time.Time {
	first := c.at
	for _, start := range []time.Time{was.Start, is.Start} {
		if start.After(first) {
			first = start
		}
	}
	out := []time.Time{first}
	for _, s := range slices.Concat(before, after) {
		if s.from.After(first) {
			out = append(out, s.from)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.DeleteFunc(slices.Compact(out), func(t time.Time) bool {
		return !t.Equal(first) && (!was.End.IsZero() && !t.Before(was.End) || !is.End.IsZero() && !t.Before(is.End))
	})
}

func covering(list []stretch, t time.Time) stretch {
	out := list[0]
	for _, s := range list[1:] {
		if !s.from.After(t) {
			out = s
		}
	}
	return out
}

// stretches decides the beginnings of an iteration's phases. Without one, a phase that
// the iteration had before keeps when it began, and another begins now.
func stretches(variants []experiment.Variant, it, before *experiment.Iteration, at time.Time) []stretch {
	out := make([]stretch, len(it.Phases))
	for j, p := range it.Phases {
		s := stretch{from: p.From, traffic: p.Traffic, kept: p.Kept(), arms: map[string]float64{}}
		if j > 0 && s.from.IsZero() && before != nil {
			s.from = at
			if j < len(before.Phases) && !before.Phases[j].From.After(at) {
				s.from = before.Phases[j].From
			}
		}
		for k, v := range variants {
			s.arms[v.Key] = p.Traffic * p.Shares[k]
		}
		out[j] = s
	}
	return out
}
