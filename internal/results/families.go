package results

import (
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// The families that a document may name.
const (
	GoalFamily      = "goals"      // goals × arms
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

// goalFamily is the family of goals × arms of an experiment, with the part of each
// test; nil when the file asks for none or one test stands alone.
type goalFamily struct {
	Family
	names   []string // metric of each test, goals in the file's order, then arms
	weights []float64
}

func goalsOf(e *experiment.Experiment) *goalFamily {
	arms := len(e.Variants) - 1
	f := &goalFamily{Family: Family{Name: GoalFamily, Correction: string(e.Families.OfGoals()), Alpha: e.Alpha,
		Size: len(e.Goals) * arms, Primary: e.Families.Primary, Share: e.Families.ShareOfPrimary()}}
	if f.Size < 2 || e.Families.OfGoals() == experiment.Unadjusted {
		return nil
	}
	primary := make([]bool, 0, f.Size)
	for _, goal := range e.Goals {
		for range arms {
			f.names, primary = append(f.names, goal), append(primary, goal == f.Primary)
		}
	}
	f.weights = stats.Preferential(primary, f.Share)
	return f
}

// weight is the part of one test of a goal under Bonferroni.
func (f *goalFamily) weight(goal string) float64 {
	return f.weights[slices.Index(f.names, goal)]
}

// test is one comparison that a family judges.
type test struct {
	metric string
	pair   stats.Pair
	plan   stats.Plan
	fixed  func(level float64) stats.Result // of one look
	into   **Adjusted
}

func (t test) sequential(level float64) stats.Result { return t.pair.SequentialAt(t.plan, level) }

// judge fills in what the family says of its tests. A test that was declared and
// has no comparison here (a quantile is computed elsewhere) takes part with p = 1.
func (f *goalFamily) judge(tests []test) {
	for i := range tests {
		*tests[i].into = f.adjusted()
	}
	f.judgeBy(tests, test.sequential, func(a *Adjusted) *AdjustedEffect { return &a.Sequential })
	f.judgeBy(tests, func(t test, level float64) stats.Result { return t.fixed(level) },
		func(a *Adjusted) *AdjustedEffect { return &a.Fixed })
}

func (f *goalFamily) adjusted() *Adjusted {
	return &Adjusted{Family: f.Name, Correction: f.Correction, Size: f.Size, Alpha: f.Alpha}
}

func (f *goalFamily) judgeBy(tests []test, at func(test, float64) stats.Result, to func(*Adjusted) *AdjustedEffect) {
	members, weights := make([]stats.Member, f.Size), make([]float64, f.Size)
	for i := range members {
		members[i].P = 1
	}
	for i, t := range tests {
		e := at(t, f.Alpha).Absolute
		members[i] = stats.Member{P: e.P, Estimate: e.Estimate}
		weights[i] = f.weight(t.metric)
	}
	family := stats.Family{Correction: stats.Correction(f.Correction), Alpha: f.Alpha, Weights: weights}
	for i, j := range family.Judge(members)[:len(tests)] {
		*to(*tests[i].into) = adjustedEffect(j, func(level float64) stats.Result { return at(tests[i], level) })
	}
}

// alone judges a test whose family cannot be gathered: by Bonferroni, which asks
// for nothing but the number of tests. Each correction finds what it finds.
func (f *goalFamily) alone(t test) {
	*t.into = f.adjusted()
	single := stats.Family{Correction: stats.Bonferroni, Alpha: f.Alpha, Weights: []float64{f.weight(t.metric)}}
	judge := func(at func(float64) stats.Result) AdjustedEffect {
		e := at(f.Alpha).Absolute
		return adjustedEffect(single.Judge([]stats.Member{{P: e.P, Estimate: e.Estimate}})[0], at)
	}
	(*t.into).Correction = string(stats.Bonferroni)
	(*t.into).Sequential, (*t.into).Fixed = judge(t.sequential), judge(t.fixed)
}

func adjustedEffect(j stats.Judged, at func(level float64) stats.Result) AdjustedEffect {
	absolute := j.Interval(func(level float64) stats.Interval { return at(level).Absolute.Interval })
	relative := j.Interval(func(level float64) stats.Interval { return at(level).Relative.Interval })
	return AdjustedEffect{
		P: Number(j.P), Rejected: j.Rejected,
		Absolute: Interval{Number(absolute.Low), Number(absolute.High)},
		Relative: Interval{Number(relative.Low), Number(relative.High)},
	}
}

// families judges the goals, and names what the others share.
func (c *computation) families() {
	if f := goalsOf(c.e); f != nil {
		c.doc.Families = append(c.doc.Families, f.Family)
		for i := range c.goals {
			c.goals[i].into = &c.doc.Comparisons[c.goals[i].comparison].Adjusted
		}
		f.judge(testsOf(c.goals))
	}
	if c.it.KillRules > 0 {
		c.doc.Families = append(c.doc.Families, Family{Name: GuardrailFamily, Correction: string(stats.Bonferroni),
			Alpha: c.it.AlphaKill, Size: c.it.KillRules})
	}
}

// goalTest is a test with its place in the document.
type goalTest struct {
	test
	comparison int
}

func testsOf(goals []goalTest) []test {
	out := make([]test, len(goals))
	for i, g := range goals {
		out[i] = g.test
	}
	return out
}
