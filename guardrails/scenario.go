package guardrails

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// ScenarioResult is what became of a scenario file.
type ScenarioResult struct {
	Name  string       `json:"name"`
	Steps []StepResult `json:"steps"`
}

// StepResult is one step of a scenario.
type StepResult struct {
	At       time.Duration `json:"at"` // after the iteration's start
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

// scenario is the file: a rule, and looks over time with the verdicts expected.
// An arm that a step does not name keeps its numbers; everything else is in
// good order unless the step says otherwise.
type scenario struct {
	Name     string         `yaml:"name"`
	Describe string         `yaml:"description"`
	Rule     scenarioRule   `yaml:"rule"`
	Steps    []scenarioStep `yaml:"steps"`
}

type scenarioRule struct {
	Metric       string               `yaml:"metric"`
	Kind         experiment.Kind      `yaml:"kind"`
	Direction    experiment.Direction `yaml:"direction"`
	Margin       float64              `yaml:"margin"`
	Relative     bool                 `yaml:"relative"`
	Mode         experiment.Mode      `yaml:"mode"`
	Limit        Limit                `yaml:"limit"`
	Hold         experiment.Duration  `yaml:"hold"`
	MinUnits     int64                `yaml:"min_units"`
	WarmUp       experiment.Duration  `yaml:"warm_up"`
	OnNoData     experiment.OnNoData  `yaml:"on_no_data"`
	Alpha        float64              `yaml:"alpha"`      // unsplit, default 0.05
	AlphaKill    float64              `yaml:"alpha_kill"` // of the iteration, default 0.05
	KillRules    int                  `yaml:"kill_rules"` // that share it, default 1
	PlannedUnits int64                `yaml:"planned_units"`
	Share        float64              `yaml:"share"`    // of the treatment in the pair, default 0.5
	Stall        experiment.Duration  `yaml:"stall"`    // default 60s
	Silence      experiment.Duration  `yaml:"silence"`  // default 10m
	Duration     experiment.Duration  `yaml:"duration"` // of the iteration, default 14d
}

type scenarioStep struct {
	At          experiment.Duration  `yaml:"at"`     // after the iteration's start; negative: before
	Fresh       experiment.Duration  `yaml:"fresh"`  // age of the freshness
	Newest      *experiment.Duration `yaml:"newest"` // age of the newest counted event, default 0s
	Nothing     bool                 `yaml:"nothing"`
	Mode        experiment.Mode      `yaml:"mode"` // the mode from here on
	Troubles    []scenarioTrouble    `yaml:"troubles"`
	Overflow    int64                `yaml:"overflow"`
	Failed      string               `yaml:"failed"`
	SRM         float64              `yaml:"srm"` // p of phase 1, default 1
	Acknowledge bool                 `yaml:"acknowledge"`
	Treatment   *scenarioArm         `yaml:"treatment"`
	Control     *scenarioArm         `yaml:"control"`
	Matured     *scenarioPair        `yaml:"matured"` // default: nothing has matured
	Expect      scenarioExpect       `yaml:"expect"`
}

type scenarioTrouble struct {
	Reason Reason `yaml:"reason"`
	Detail string `yaml:"detail"`
}

// scenarioArm gives moments in the words of a person. A binary metric needs
// units and nonzero only.
type scenarioArm struct {
	Units   int64   `yaml:"units"`
	NonZero int64   `yaml:"nonzero"`
	Mean    float64 `yaml:"mean"`
	SD      float64 `yaml:"sd"`
}

type scenarioPair struct {
	Treatment scenarioArm `yaml:"treatment"`
	Control   scenarioArm `yaml:"control"`
}

type scenarioExpect struct {
	Verdict Kind   `yaml:"verdict"`
	Reason  Reason `yaml:"reason"`
	Act     Act    `yaml:"act"`
}

// scenarioStart is the iteration's start in every scenario.
func scenarioStart() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// RunScenario plays a scenario file: its rule against its looks, each verdict
// against what the file expects. The error is about the file itself.
func RunScenario(data []byte) (ScenarioResult, error) {
	var s scenario
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.Strict()); err != nil {
		return ScenarioResult{}, fmt.Errorf("read the scenario: %w", err)
	}
	if len(s.Steps) == 0 {
		return ScenarioResult{}, fmt.Errorf("scenario %q has no steps", s.Name)
	}
	p := player{rule: s.Rule.rule()}
	out := ScenarioResult{Name: s.Name}
	for _, step := range s.Steps {
		out.Steps = append(out.Steps, p.play(step))
	}
	return out, nil
}

// player goes through the steps with the memory that a guard has.
type player struct {
	rule               Rule
	state              State
	alarms             []Alarm
	treatment, control scenarioArm
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
		At: s.At.Std(), Verdict: v, Wrong: s.Expect.differs(v),
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
		SRMPhases: OpenPhases(p.alarms),
		Open:      p.strata(p.treatment, p.control),
		Current:   PhaseUnits{Phase: 1, Share: p.rule.TreatmentShare, Treatment: p.treatment.Units, Control: p.control.Units},
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
	return o
}

// split raises and acknowledges the alarm of phase 1.
func (p *player) split(s scenarioStep, at time.Time) {
	if s.SRM > 0 {
		p.alarms, _ = StepSRM(p.alarms, []Split{{Phase: 1, P: s.SRM, Threshold: stats.SRMThreshold(1)}}, at)
	}
	if s.Acknowledge {
		for i := range p.alarms {
			p.alarms[i].Acknowledged = at
		}
	}
}

func (p *player) strata(treatment, control scenarioArm) []Stratum {
	return []Stratum{{
		Phase: 1, Share: p.rule.TreatmentShare,
		Treatment: treatment.moments(p.rule.Binary), Control: control.moments(p.rule.Binary),
	}}
}

func (a scenarioArm) moments(binary bool) stats.Moments {
	m := stats.Moments{N: a.Units, NonZero: a.NonZero, Mean: a.Mean, M2: a.SD * a.SD * math.Max(0, float64(a.Units-1))}
	if binary && a.Units > 0 {
		m.Mean = float64(a.NonZero) / float64(a.Units)
		m.M2 = float64(a.NonZero) * (1 - m.Mean)
	}
	return m
}

func (e scenarioExpect) differs(v Verdict) string {
	if got := (scenarioExpect{v.Kind, v.Reason, v.Act}); got != e {
		return fmt.Sprintf("expected %s (%s), act %s; got %s (%s), act %s: %s",
			e.Verdict, e.Reason, e.Act, v.Kind, v.Reason, v.Act, v.Text)
	}
	return ""
}

// rule fills in what the file leaves out.
func (s scenarioRule) rule() Rule {
	start := scenarioStart()
	return Rule{
		Experiment: "scenario", Iteration: 1, Metric: s.Metric, Arm: "treatment", Control: "control",
		Direction: s.Direction, Binary: s.Kind.Binary(), Margin: s.Margin, Relative: s.Relative,
		Mode: s.Mode, Limit: s.Limit, Hold: s.Hold.Std(), MinUnits: s.MinUnits, WarmUp: s.WarmUp.Std(), OnNoData: s.OnNoData,
		Alpha:        cmp.Or(s.Alpha, DefaultAlpha),
		AlphaKill:    cmp.Or(s.AlphaKill, DefaultAlpha) / float64(cmp.Or(s.KillRules, 1)),
		PlannedUnits: float64(s.PlannedUnits), TreatmentShare: cmp.Or(s.Share, 0.5),
		Start: start, End: start.Add(cmp.Or(s.Duration.Std(), 14*24*time.Hour)),
		Stall: cmp.Or(s.Stall.Std(), DefaultStall), Silence: cmp.Or(s.Silence.Std(), DefaultSilence),
	}
}
