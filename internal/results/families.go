package results

import (
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// The families that a document may name.
const (
	GoalFamily      = "goals"      // goals × arms
	SegmentFamily   = "segments"   // goals × arms × values of the dimensions
	GuardrailFamily = "guardrails" // those that may kill × arms
)

// Family is a set of tests that share an error rate.
type Family struct {
	Name       string  `json:"name"`
	Correction string  `json:"correction"`
	Alpha      float64 `json:"alpha"`
	Size       int     `json:"size"`              // tests declared, with or without data
	Primary    string  `json:"primary,omitempty"` // goal with a part of its own
	Share      float64 `json:"primary_share,omitempty"`
}

// Adjusted is what a comparison's family makes of it: p-values that may be held
// against the family's rate, and intervals that agree with them. Of a goal they are
// those of matured units.
type Adjusted struct {
	Family     string         `json:"family"`
	Correction string         `json:"correction"`
	Size       int            `json:"size"`
	Alpha      float64        `json:"alpha"`
	Sequential AdjustedEffect `json:"sequential"`
	Fixed      AdjustedEffect `json:"fixed"`
}

// AdjustedEffect is a test within its family.
type AdjustedEffect struct {
	P        Number   `json:"p"`
	Rejected bool     `json:"rejected"` // "no effect" is refuted within the family; p is at most its rate
	Absolute Interval `json:"absolute"` // an end at 0 of what is rejected is no part of it
	Relative Interval `json:"relative"`
}

// goalFamily is the family of goals × arms of an experiment, with the part that each
// goal's tests have under Bonferroni; nil when the file asks for none or one test
// stands alone.
type goalFamily struct {
	Family
	weights map[string]float64
}

func goalsOf(e *experiment.Experiment) *goalFamily {
	arms := len(e.Variants) - 1
	f := &goalFamily{weights: map[string]float64{}, Family: Family{
		Name: GoalFamily, Correction: string(e.Families.OfGoals()), Alpha: e.Alpha,
		Size: len(e.Goals) * arms, Primary: e.Families.Primary, Share: e.Families.ShareOfPrimary(),
	}}
	if f.Size < 2 || e.Families.OfGoals() == experiment.Unadjusted {
		return nil
	}
	primary := make([]bool, len(e.Goals))
	for i, goal := range e.Goals {
		primary[i] = goal == f.Primary
	}
	for i, w := range stats.Preferential(primary, f.Share) {
		f.weights[e.Goals[i]] = w / float64(arms)
	}
	return f
}

// segmentsOf is the family of goals × arms × values of the dimensions, of the goals
// that are counted as moments; nil when there is none. Every dimension has two values
// more than its file names: (other) and (none).
func segmentsOf(e *experiment.Experiment, it *experiment.Iteration) *Family {
	f := &Family{Name: SegmentFamily, Correction: string(e.Families.OfSegments()), Alpha: e.Alpha}
	goals := 0
	for _, goal := range e.Goals {
		if m := it.Metric(goal); m != nil && m.Kind.Fast() {
			goals++
		}
	}
	for _, d := range e.Dimensions {
		f.Size += goals * (len(e.Variants) - 1) * (len(d.Values) + 2)
	}
	if f.Size < 2 || e.Families.OfSegments() == experiment.Unadjusted {
		return nil
	}
	return f
}

// test is one comparison that a family judges.
type test struct {
	pair   stats.Pair
	plan   stats.Plan
	fixed  func(level float64) stats.Result // of one look
	weight float64                          // part under Bonferroni
	into   *Adjusted
}

func newTest(pair stats.Pair, plan stats.Plan, weight float64) test {
	return test{pair: pair, plan: plan, fixed: pair.Fixed, weight: weight, into: &Adjusted{}}
}

func (t test) sequential(level float64) stats.Result { return t.pair.SequentialAt(t.plan, level) }

// judge fills in what the family says of its tests. A test that was declared and
// has no comparison here (a quantile is computed elsewhere) takes part with p = 1.
func (f Family) judge(tests []test) {
	for _, t := range tests {
		*t.into = Adjusted{Family: f.Name, Correction: f.Correction, Size: f.Size, Alpha: f.Alpha}
	}
	f.judgeBy(tests, test.sequential, func(a *Adjusted) *AdjustedEffect { return &a.Sequential })
	f.judgeBy(tests, func(t test, level float64) stats.Result { return t.fixed(level) },
		func(a *Adjusted) *AdjustedEffect { return &a.Fixed })
}

func (f Family) judgeBy(tests []test, at func(test, float64) stats.Result, to func(*Adjusted) *AdjustedEffect) {
	n := max(f.Size, len(tests))
	members, weights := make([]stats.Member, n), make([]float64, n)
	for i := range members {
		members[i].P = 1
	}
	for i, t := range tests {
		e := at(t, f.Alpha).Absolute
		members[i], weights[i] = stats.Member{P: e.P, Estimate: e.Estimate}, t.weight
	}
	family := stats.Family{Correction: stats.Correction(f.Correction), Alpha: f.Alpha, Weights: weights}
	for i, j := range family.Judge(members)[:len(tests)] {
		*to(tests[i].into) = adjustedEffect(j, func(level float64) stats.Result { return at(tests[i], level) })
	}
}

// alone judges a test whose family cannot be gathered: by Bonferroni, which asks
// for nothing but the number of tests. Each correction finds what it finds.
func (f Family) alone(t test) *Adjusted {
	single := stats.Family{Correction: stats.Bonferroni, Alpha: f.Alpha, Weights: []float64{t.weight}}
	judge := func(at func(float64) stats.Result) AdjustedEffect {
		e := at(f.Alpha).Absolute
		return adjustedEffect(single.Judge([]stats.Member{{P: e.P, Estimate: e.Estimate}})[0], at)
	}
	return &Adjusted{Family: f.Name, Correction: string(stats.Bonferroni), Size: f.Size, Alpha: f.Alpha,
		Sequential: judge(t.sequential), Fixed: judge(t.fixed)}
}

func adjustedEffect(j stats.Judged, at func(level float64) stats.Result) AdjustedEffect {
	if j.LowLevel == j.HighLevel && j.LowLevel > 0 { // most often: computed once
		r := at(j.LowLevel)
		at = func(float64) stats.Result { return r }
	}
	absolute := j.Interval(func(level float64) stats.Interval { return at(level).Absolute.Interval })
	relative := j.Interval(func(level float64) stats.Interval { return at(level).Relative.Interval })
	return AdjustedEffect{
		P: Number(j.P), Rejected: j.Rejected,
		Absolute: Interval{Number(absolute.Low), Number(absolute.High)},
		Relative: Interval{Number(relative.Low), Number(relative.High)},
	}
}

// families judges the goals and their segments, and names what the others share.
func (c *computation) families() {
	if f := goalsOf(c.e); f != nil {
		c.doc.Families = append(c.doc.Families, f.Family)
		var tests []test
		for i, pair := range c.goals {
			m := &c.doc.Comparisons[i]
			t := newTest(pair, c.plan(c.e.VariantIndex(m.Arm)), f.weights[m.Metric])
			m.Adjusted, tests = t.into, append(tests, t)
		}
		f.judge(tests)
	}
	if f := segmentsOf(c.e, c.it); f != nil {
		c.doc.Families = append(c.doc.Families, *f)
		for i := range c.segmentTests {
			c.segmentTests[i].weight = 1 / float64(f.Size)
		}
		f.judge(c.segmentTests)
	}
	if c.it.KillRules > 0 {
		c.doc.Families = append(c.doc.Families, Family{Name: GuardrailFamily, Correction: string(stats.Bonferroni),
			Alpha: c.it.AlphaKill, Size: c.it.KillRules})
	}
}
