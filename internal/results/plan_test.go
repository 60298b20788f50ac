package results_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// planned is the plan of the ramp's first phase at 50/50, which a scenario changes.
type planned struct {
	change func(e *experiment.Experiment, it *experiment.Iteration)
	cells  []results.Cell
	slow   *results.Slow
}

func (p planned) plan() []results.Plan {
	v, e := ramp()
	it := &e.Iterations[1]
	it.Phases = it.Phases[:1]
	it.Phases[0].Shares = []float64{.5, .5}
	if p.change != nil {
		p.change(e, it)
	}
	d := results.Compute(v, e, 2, moments(p.cells...), statuses(), noon().Add(2*time.Hour), results.Options{Kind: results.KindFull})
	d.Slow = p.slow
	return results.PlanAnalysis(e, &d)
}

func arms(metric string, n, control, treatment int64) []results.Cell {
	return []results.Cell{binary(metric, "control", 1, n, control), binary(metric, "treatment", 1, n, treatment)}
}

// open makes cells that have not matured.
func open(cells []results.Cell) []results.Cell {
	for i := range cells {
		cells[i].Matured = results.NewSums()
	}
	return cells
}

func kindOf(name string, change func(*experiment.Metric)) func(*experiment.Experiment, *experiment.Iteration) {
	return func(_ *experiment.Experiment, it *experiment.Iteration) { change(it.Metric(name)) }
}

// scenarios are one or more for each gate.
func scenarios() map[string]struct {
	planned
	question, code, state, text string
	lift                        int64
} {
	type scenario = struct {
		planned
		question, code, state, text string
		lift                        int64
	}
	quantile := kindOf("spend", func(m *experiment.Metric) { m.Kind, m.Quantile = experiment.Quantile, .9 })
	slow := func(events int64, reduction results.Number) *results.Slow {
		return &results.Slow{At: noon(), Comparisons: []results.SlowComparison{{Metric: "spend", Arm: "treatment", Events: events, Reduction: reduction,
			Estimate: results.Estimate{Treatment: results.Arm{Units: 100}, Control: results.Arm{Units: 100}}}}}
	}
	covariate := func(e *experiment.Experiment, _ *experiment.Iteration) { e.Covariate = "attrs.age" }
	split := []results.Cell{units("control", 1, 3000), units("treatment", 1, 2000)}
	return map[string]scenario{
		"no unit yet":              {planned{}, "interval errors", "units", results.NotMet, "at least 30 units", 60},
		"ten units":                {planned{cells: arms("errors", 10, 3, 4)}, "interval errors", "units", results.NotMet, "at least 30 units", 60},
		"enough units":             {planned{cells: arms("errors", 1000, 300, 310)}, "interval errors", "units", results.Met, "", 0},
		"a ratio of few units":     {planned{change: kindOf("spend", ratio)}, "interval spend", "ratio_units", results.NotMet, "at least 200 units", 400},
		"few events":               {planned{cells: arms("errors", 1000, 8, 12)}, "interval errors", "events", results.NotMet, "no decision counts before", 6000},
		"enough events":            {planned{cells: arms("errors", 1000, 28, 32)}, "interval errors", "events", results.Met, "", 0},
		"no event":                 {planned{cells: arms("errors", 1000, 0, 0)}, "interval errors", "spread", results.NotMet, "no standard error", 0},
		"units differ":             {planned{cells: arms("errors", 1000, 1, 0)}, "interval errors", "spread", results.Met, "", 0},
		"a mean of nothing":        {planned{cells: arms("errors", 1000, 1, 30)}, "interval errors", "baseline", results.NotMet, "read the difference", 18437},
		"a mean far from zero":     {planned{cells: arms("errors", 1000, 300, 310)}, "interval errors", "baseline", results.Met, "", 0},
		"small counts":             {planned{cells: arms("errors", 1000, 50, 60)}, "interval errors", "small_counts", results.NotMet, "Miettinen–Nurminen", 4000},
		"almost everybody":         {planned{cells: arms("errors", 1000, 950, 900)}, "interval errors", "small_counts", results.NotMet, "score interval", 4000},
		"large counts":             {planned{cells: arms("errors", 1000, 300, 310)}, "interval errors", "small_counts", results.Met, "", 0},
		"rare events":              {planned{cells: arms("errors", 100000, 800, 900)}, "interval errors", "rare", results.NotMet, "fewer than 1 %", 0},
		"frequent events":          {planned{cells: arms("errors", 1000, 300, 310)}, "interval errors", "rare", results.Met, "", 0},
		"rare or not is not known": {planned{}, "interval errors", "rare", results.Assumed, "", 0},
		"no window is complete": {planned{cells: open([]results.Cell{cell("spend", "control", 1, 90, 30, 3000, 400000), cell("spend", "treatment", 1, 90, 30, 3000, 400000)})},
			"interval spend", "windows", results.NotMet, "whose window of 3h has passed: 0 of 180 so far, the first at 2026-03-01 15:00 UTC", 0},
		"windows are complete": {planned{cells: []results.Cell{cell("spend", "control", 1, 90, 30, 3000, 400000), cell("spend", "treatment", 1, 90, 30, 3000, 400000)}},
			"interval spend", "windows", results.Met, "180 of 180 so far", 0},
		"a phase with one arm": {planned{change: func(_ *experiment.Experiment, it *experiment.Iteration) {
			it.Phases = append(it.Phases, experiment.Phase{Number: 2, From: noon().Add(time.Hour), Shares: []float64{.5, .5}, Traffic: 1})
		}, cells: append(arms("errors", 1000, 30, 30), binary("errors", "control", 2, 500, 10))}, "interval errors", "phase", results.NotMet, "phase 2 has fewer than 2 units", 0},
		"totals too large": {planned{cells: func() []results.Cell {
			c := arms("errors", 1000, 30, 30)
			c[0].Open.Over = 3
			return c
		}()}, "interval errors", "overflow", results.NotMet, "3 units' totals are too large", 0},
		"planned":        {planned{}, "interval errors", "planned_units", results.Met, "narrowest at 20000 units", 0},
		"not planned":    {planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) { e.PlannedUnits = 0 }}, "interval errors", "planned_units", results.NotMet, "narrowest at 10000", 0},
		"equal shares":   {planned{}, "interval errors", "shares", results.Met, "", 0},
		"unequal shares": {planned{change: func(_ *experiment.Experiment, it *experiment.Iteration) { it.Phases[0].Shares = []float64{.9, .1} }}, "interval errors", "shares", results.NotMet, "below 40 %", 0},
		"an open cap":    {planned{change: kindOf("spend", func(m *experiment.Metric) { m.Cap = &experiment.Cap{Percentile: 99} })}, "interval spend", "cap", results.NotMet, "assay apply --cap spend", 0},
		"no cap":         {planned{}, "interval spend", "tail", results.Assumed, "huge totals", 0},
		"independence":   {planned{}, "interval spend", "independence", results.Assumed, "independent of one another", 0},

		"a guardrail's events": {planned{cells: arms("errors", 1000, 8, 12)}, "guardrail errors", "events", results.NotMet, "", 6000},
		"too few for the file": {planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) { e.Guardrails[0].MinUnits = 5000 }, cells: arms("errors", 1000, 8, 12)}, "guardrail errors", "min_units", results.NotMet, "min_units: 5000", 10000},
		"warming up": {planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) {
			e.Guardrails[0].WarmUp = experiment.Duration(3 * time.Hour)
		}}, "guardrail errors", "warm_up", results.NotMet, "no verdict before 2026-03-01 15:00 UTC", 0},
		"warm": {planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) {
			e.Guardrails[0].WarmUp = experiment.Duration(time.Hour)
		}}, "guardrail errors", "warm_up", results.Met, "ended at 2026-03-01 13:00 UTC", 0},
		"young units":            {planned{cells: open(arms("errors", 1000, 30, 30))}, "guardrail errors", "matured_half", results.NotMet, "a floor as well", 0},
		"grown units":            {planned{cells: arms("errors", 1000, 30, 30)}, "guardrail errors", "matured_half", results.Met, "", 0},
		"may kill":               {planned{}, "guardrail errors", "may_kill", results.Met, "0.05 of the budget", 0},
		"retrospective":          {planned{change: func(_ *experiment.Experiment, it *experiment.Iteration) { it.Retrospective = true }}, "guardrail errors", "may_kill", results.NotMet, "began before it was applied", 0},
		"resumed":                {planned{change: func(_ *experiment.Experiment, it *experiment.Iteration) { it.NotifyOnly = true }}, "guardrail errors", "may_kill", results.NotMet, "without a new budget", 0},
		"added later":            {planned{change: func(_ *experiment.Experiment, it *experiment.Iteration) { it.KillGuardrails = nil }}, "guardrail errors", "may_kill", results.NotMet, "added after", 0},
		"an open cap may notify": {planned{change: kindOf("errors", func(m *experiment.Metric) { m.Kind, m.Cap = experiment.Count, &experiment.Cap{Percentile: 99} })}, "guardrail errors", "may_kill", results.NotMet, "until the cap is a number", 0},
		"a count's ratio":        {planned{change: byCount(0), cells: arms("errors", 1000, 8, 12)}, "guardrail errors count", "rates", results.Assumed, "keep one ratio", 0},
		"a count's events":       {planned{change: byCount(0), cells: arms("errors", 1000, 8, 12)}, "guardrail errors count", "events", results.Met, "any number of events", 0},
		"a count asked for more": {planned{change: byCount(40), cells: arms("errors", 1000, 8, 12)}, "guardrail errors count", "min_events", results.NotMet, "min_events: 40", 8000},
		"only alerts":            {planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) { e.Guardrails[0].NeverKill = true }}, "guardrail errors", "may_kill", results.NotMet, "action: alert", 0},
		"open results":           {planned{}, "guardrail errors", "open", results.Assumed, "by simulation, not by a theorem", 0},

		"a quantile, not computed":      {planned{change: quantile}, "interval spend", "computed", results.NotMet, "assay analyze --slow", 0},
		"a quantile, computed":          {planned{change: quantile, slow: slow(500, 0)}, "interval spend", "computed", results.Met, "2026-03-01 12:00 UTC", 0},
		"a quantile of few events":      {planned{change: quantile, slow: slow(7, 0)}, "interval spend", "quantile_events", results.NotMet, "must exist in each arm", 1000},
		"a quantile of many events":     {planned{change: quantile, slow: slow(500, 0)}, "interval spend", "quantile_events", results.Met, "", 0},
		"a quantile at every look":      {planned{change: quantile}, "interval spend", "smooth", results.Assumed, "not proved", 0},
		"a covariate, not computed":     {planned{change: covariate}, "interval spend cuped", "gain", results.NotMet, "as far as it explains", 0},
		"a covariate that helps":        {planned{change: covariate, slow: slow(0, .42)}, "interval spend cuped", "gain", results.Met, "42.0 % of the difference's variance", 0},
		"a covariate that is no use":    {planned{change: covariate, slow: slow(0, 0)}, "interval spend cuped", "gain", results.NotMet, "", 0},
		"a covariate from before":       {planned{change: covariate}, "interval spend cuped", "before", results.Assumed, "before the first exposure", 0},
		"the split is fine":             {planned{cells: []results.Cell{units("control", 1, 2500), units("treatment", 1, 2510)}}, "split", "split", results.Met, "", 0},
		"the split is broken":           {planned{cells: split}, "split", "split", results.NotMet, "not comparable", 0},
		"too few for χ²":                {planned{cells: []results.Cell{units("control", 1, 4), units("treatment", 1, 4)}}, "split", "expected", results.NotMet, "five expected units", 10},
		"nobody yet":                    {planned{}, "split", "expected", results.NotMet, "five expected units", 10},
		"units in an arm without share": {planned{change: func(_ *experiment.Experiment, it *experiment.Iteration) { it.Phases[0].Shares = []float64{1, 0} }, cells: split}, "split", "unplanned_arm", results.NotMet, "2000 units were seen in treatment", 0},
	}
}

func byCount(events int64) func(*experiment.Experiment, *experiment.Iteration) {
	return func(e *experiment.Experiment, _ *experiment.Iteration) {
		e.Guardrails[0].Method, e.Guardrails[0].MinEvents = experiment.ByCount, events
	}
}

func ratio(m *experiment.Metric) {
	m.Kind = experiment.Ratio
	m.Numerator, m.Denominator = &experiment.Part{Event: "a"}, &experiment.Part{Event: "b"}
}

// find looks for "for metric method" in a plan.
func find(plans []results.Plan, question, code string) (results.Condition, bool) {
	words := append(strings.Fields(question), "", "")
	for _, p := range plans {
		if p.For != words[0] || p.Metric != words[1] || words[2] != "" && p.Method != words[2] {
			continue
		}
		for _, c := range p.Gates {
			if c.Code == code {
				return c, true
			}
		}
	}
	return results.Condition{}, false
}

func TestGates(t *testing.T) {
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			c, ok := find(s.plan(), s.question, s.code)
			if !ok {
				t.Fatalf("no gate %s for %s: %+v", s.code, s.question, s.plan())
			}
			if c.State != s.state || !strings.Contains(c.Text, s.text) || c.Lift != s.lift {
				t.Errorf("%+v, want %s, %q, lifted at %d", c, s.state, s.text, s.lift)
			}
		})
	}
}

// Every gate of the source has a scenario.
func TestEveryGateHasAScenario(t *testing.T) {
	source, err := os.ReadFile("plan_gates.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, s := range scenarios() {
		shown[s.code] = true
	}
	codes := regexp.MustCompile(`(?:met|notMet|assumed|counted)\("([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 30 {
		t.Fatalf("only %d gates found", len(codes))
	}
	for _, c := range codes {
		if !shown[c[1]] {
			t.Errorf("no scenario shows gate %s", c[1])
		}
	}
}

// The method follows the kind of the metric.
func TestMethods(t *testing.T) {
	for kind, want := range map[experiment.Kind]string{
		experiment.Mean: "welch", experiment.Sum: "welch", experiment.Count: "welch", experiment.Proportion: "welch", experiment.Retention: "welch",
		experiment.Ratio: "delta", experiment.Quantile: "quantile",
	} {
		plans := planned{change: kindOf("spend", func(m *experiment.Metric) {
			ratio(m)
			m.Kind, m.Quantile = kind, .5
		})}.plan()
		if p := plans[len(plans)-3]; p.Metric != "spend" || p.Method != want || p.Why == "" {
			t.Errorf("%s: %+v", kind, plans)
		}
	}
	if plans := (planned{}).plan(); len(plans) != 4 || plans[2].Method != "margin" || plans[3].Method != "srm" {
		t.Errorf("%+v", plans)
	}
	two := planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) { e.Goals = []string{"spend", "errors"} }}.plan()
	if !strings.Contains(two[0].Why, "one of 2 goals × arms, judged together (bonferroni)") {
		t.Errorf("the family is not named: %s", two[0].Why)
	}
	relative := planned{change: func(e *experiment.Experiment, _ *experiment.Iteration) {
		e.Guardrails[0].Margin, e.Guardrails[0].Relative = .02, true
	}}.plan()
	if !strings.HasPrefix(relative[2].Why, "harm beyond 2 % of the control's mean") {
		t.Errorf("the margin is not named: %s", relative[2].Why)
	}
}

// What a gate says would open it opens it: with that many units at the same rates
// the gate is met.
func TestLiftLifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(4, 500).Draw(t, "units of an arm")
		control, treatment := rapid.Int64Range(0, n).Draw(t, "control"), rapid.Int64Range(0, n).Draw(t, "treatment")
		for _, code := range []string{"units", "events", "small_counts", "baseline"} {
			c, ok := find(planned{cells: arms("errors", n, control, treatment)}.plan(), "interval errors", code)
			if !ok || c.State != results.NotMet || c.Lift == 0 {
				continue
			}
			k := (c.Lift + 2*n - 1) / (2 * n) // so many times the data
			again, _ := find(planned{cells: arms("errors", k*n, k*control, k*treatment)}.plan(), "interval errors", code)
			if again.State != results.Met {
				t.Fatalf("%s: at %d units %+v, of which %d are to lift it", code, 2*k*n, again, c.Lift)
			}
		}
	})
}

// A plan asks nothing of an iteration that is not there.
func TestPlanOfNothing(t *testing.T) {
	_, e := ramp()
	if plans := results.PlanAnalysis(e, &results.Document{Iteration: 9}); plans != nil {
		t.Errorf("%+v", plans)
	}
}
