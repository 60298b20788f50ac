package guardrails

import (
	"cmp"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
)

// ScenarioResult is what became of a scenario file.
type ScenarioResult struct {
	Name  string       `json:"name"`
	Steps []StepResult `json:"steps"`
}

// StepResult is one step of a scenario.
type StepResult struct {
	Line     int           `json:"line"` // of the step in the file
	At       time.Duration `json:"at"`   // after the iteration's start
	Expected Expectation   `json:"expected"`
	Verdict  Verdict       `json:"verdict"`
	Evidence Evidence      `json:"-"`
	Wrong    string        `json:"wrong,omitempty"` // how the verdict differs from what the file expects
}

// OK tells whether every step came out as expected.
func (r ScenarioResult) OK() bool {
	for _, s := range r.Steps {
		if s.Wrong != "" {
			return false
		}
	}
	return true
}

// scenarioStart is the iteration's start in every scenario.
func scenarioStart() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// RunScenario plays a scenario file: its rule against its looks, each verdict
// against what the file expects. The error is about the file itself, with its lines.
func RunScenario(name string, data []byte) (ScenarioResult, error) {
	s, lines, err := readScenario(name, data)
	if err != nil {
		return ScenarioResult{}, err
	}
	p := player{rule: s.Rule.rule(), kind: s.Rule.Kind, checks: s.Checks}
	out := ScenarioResult{Name: s.Name}
	for i, step := range s.Steps {
		r := p.play(step)
		r.Line = lines[i]
		out.Steps = append(out.Steps, r)
	}
	return out, nil
}

// player goes through the steps with the memory that a guard has.
type player struct {
	rule               Rule
	kind               experiment.Kind
	checks             scenarioChecks
	state              State
	alarms             []Alarm
	treatment, control scenarioArm
	crossed            int64
	short              scenarioLoss
	misassigned        int64
}

func (p *player) play(s scenarioStep) StepResult {
	if s.Mode != "" {
		p.rule.Mode = s.Mode
	}
	o := p.observe(s)
	before := p.state
	after, v := Step(p.rule, p.state, o)
	p.state = after
	return StepResult{
		At: s.At.Std(), Expected: s.Expect, Verdict: v, Wrong: s.Expect.differs(v),
		Evidence: Evidence{Rule: p.rule, State: before, Observation: o, Verdict: v},
	}
}

func (p *player) observe(s scenarioStep) Observation {
	at := scenarioStart().Add(s.At.Std())
	if s.Treatment != nil {
		p.treatment = *s.Treatment
	}
	if s.Control != nil {
		p.control = *s.Control
	}
	p.split(s, at)
	o := Observation{
		At: at, Freshness: at.Add(-s.Fresh.Std()), Newest: at, Over: s.Overflow, Failed: s.Failed,
		SRMPhases: OpenPhases(p.alarms), CrossPhases: p.crossovers(s), WrongPhases: p.assignments(s),
		Open:    p.strata(p.treatment, p.control),
		Current: PhaseUnits{Phase: 1, Share: p.rule.TreatmentShare, Treatment: p.treatment.Units, Control: p.control.Units},
	}
	if s.Newest != nil {
		o.Newest = at.Add(-s.Newest.Std())
	}
	if s.Nothing {
		o.Newest = time.Time{}
	}
	if s.Matured != nil {
		o.Matured = p.strata(s.Matured.Treatment, s.Matured.Control)
	}
	for _, t := range s.Troubles {
		o.Troubles = append(o.Troubles, Trouble(t))
	}
	if c := p.losses(s); c.Alarm {
		o.Troubles = append(o.Troubles, Trouble{UnevenLoss, c.Text})
	}
	return o
}

// losses tests those of phase 1.
func (p *player) losses(s scenarioStep) results.LossCheck {
	if s.ShortKept != nil {
		p.short = *s.ShortKept
	}
	if !p.checks.Loss {
		return results.LossCheck{}
	}
	share := p.rule.TreatmentShare
	phase := experiment.Phase{Number: 1, Shares: []float64{1 - share, share}}
	return results.CheckLoss([]experiment.Variant{{Key: "control"}, {Key: "treatment"}}, &phase, []int64{p.short.Control, p.short.Treatment})
}

// split raises and acknowledges the alarm of phase 1.
func (p *player) split(s scenarioStep, at time.Time) {
	if p.checks.SRM {
		share := p.rule.TreatmentShare
		s.SRM = stats.SampleRatio([]int64{p.control.Units, p.treatment.Units}, []float64{1 - share, share}).P
	}
	if s.SRM > 0 {
		p.alarms, _ = StepSRM(p.alarms, []Split{{Phase: 1, P: s.SRM, Threshold: stats.SRMThreshold(1)}}, at)
	}
	if s.Acknowledge {
		for i := range p.alarms {
			p.alarms[i].Acknowledged = at
		}
	}
}

// crossovers tests those of phase 1.
func (p *player) crossovers(s scenarioStep) []uint16 {
	p.crossed = max(p.crossed, s.Crossed)
	x := p.checks.Crossovers
	if x == nil {
		return nil
	}
	rule := experiment.CrossoverCheck{Limit: x.Limit, OnAlarm: cmp.Or(x.OnAlarm, experiment.HoldOnAlarm)}
	c := results.CheckCrossovers(rule, 1, stats.Share{Successes: p.crossed, Units: p.treatment.Units + p.control.Units})
	return heldBy([]results.CrossoverCheck{c})
}

// assignments tests those of phase 1.
func (p *player) assignments(s scenarioStep) []uint16 {
	p.misassigned = max(p.misassigned, s.Misassigned)
	x := p.checks.Assignment
	if x == nil {
		return nil
	}
	rule := experiment.AssignmentCheck{Limit: x.Limit, OnAlarm: cmp.Or(x.OnAlarm, experiment.HoldOnAlarm)}
	c := results.CheckAssignments(rule, 1, stats.Share{Successes: p.misassigned, Units: p.treatment.Units + p.control.Units})
	return heldBy([]results.AssignmentCheck{c})
}

func (p *player) strata(treatment, control scenarioArm) []Stratum {
	return []Stratum{{
		Phase: 1, Share: p.rule.TreatmentShare,
		Treatment: treatment.moments(p.kind), Control: control.moments(p.kind),
	}}
}

func (e Expectation) differs(v Verdict) string {
	if got := (Expectation{v.Kind, v.Reason, v.Act}); got != e {
		return fmt.Sprintf("expected %s (%s), act %s; got %s (%s), act %s: %s",
			e.Verdict, e.Reason, e.Act, v.Kind, v.Reason, v.Act, v.Text)
	}
	return ""
}
