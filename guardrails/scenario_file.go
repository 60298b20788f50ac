package guardrails

import (
	"cmp"
	"math"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// scenario is the file: a rule, and looks over time with the verdicts expected.
// An arm that a step does not name keeps its numbers; everything else is in
// good order unless the step says otherwise.
type scenario struct {
	Name     string         `yaml:"name"`
	Describe string         `yaml:"description"`
	Rule     scenarioRule   `yaml:"rule"`
	Checks   scenarioChecks `yaml:"checks"`
	Steps    []scenarioStep `yaml:"steps"`
}

type scenarioRule struct {
	Metric       string               `yaml:"metric"`
	Kind         experiment.Kind      `yaml:"kind"`
	Direction    experiment.Direction `yaml:"direction"`
	Margin       float64              `yaml:"margin"`
	Relative     bool                 `yaml:"relative"`
	Method       experiment.Method    `yaml:"method"`
	Mode         experiment.Mode      `yaml:"mode"`
	Limit        Limit                `yaml:"limit"`
	Hold         experiment.Duration  `yaml:"hold"`
	MinUnits     int64                `yaml:"min_units"`
	MinEvents    int64                `yaml:"min_events"`
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

// scenarioChecks are the guardrails on the experiment itself.
type scenarioChecks struct {
	// SRM has each step's units tested against the share; without it a step may say
	// the p-value itself.
	SRM        bool           `yaml:"srm"`
	Crossovers *scenarioLimit `yaml:"crossovers"`
	Assignment *scenarioLimit `yaml:"assignment"`
	// Loss has every step test how the units are divided whose producers kept too few.
	Loss bool `yaml:"loss"`
}

type scenarioLimit struct {
	Limit   float64            `yaml:"limit"`
	OnAlarm experiment.OnAlarm `yaml:"on_alarm"`
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
	SRM         float64              `yaml:"srm"`         // p of phase 1, default 1
	Crossed     int64                `yaml:"crossed"`     // units seen in both variants so far
	Misassigned int64                `yaml:"misassigned"` // units shown another variant than their assignment gives them, so far
	ShortKept   *scenarioLoss        `yaml:"short_kept"`  // units whose producers kept fewer than the phase's sample, so far
	Acknowledge bool                 `yaml:"acknowledge"`
	Treatment   *scenarioArm         `yaml:"treatment"`
	Control     *scenarioArm         `yaml:"control"`
	Matured     *scenarioPair        `yaml:"matured"` // default: nothing has matured
	Expect      Expectation          `yaml:"expect"`
}

type scenarioTrouble struct {
	Reason Reason `yaml:"reason"`
	Detail string `yaml:"detail"`
}

// scenarioLoss counts units by arm.
type scenarioLoss struct {
	Treatment int64 `yaml:"treatment"`
	Control   int64 `yaml:"control"`
}

// scenarioArm gives moments in the words of a person. A binary metric and the
// method count need units and nonzero only; a ratio has two totals.
type scenarioArm struct {
	Units   int64   `yaml:"units"`
	NonZero int64   `yaml:"nonzero"`
	Mean    float64 `yaml:"mean"`
	SD      float64 `yaml:"sd"`

	Numerator   scenarioTotal `yaml:"numerator"`
	Denominator scenarioTotal `yaml:"denominator"`
	Correlation float64       `yaml:"correlation"` // of a unit's two totals, −1 to 1
}

// scenarioTotal is one part of a ratio: the mean of the units' totals and their
// standard deviation.
type scenarioTotal struct {
	Mean float64 `yaml:"mean"`
	SD   float64 `yaml:"sd"`
}

type scenarioPair struct {
	Treatment scenarioArm `yaml:"treatment"`
	Control   scenarioArm `yaml:"control"`
}

// Expectation is what a scenario expects of a step.
type Expectation struct {
	Verdict Kind   `yaml:"verdict" json:"verdict"`
	Reason  Reason `yaml:"reason" json:"reason"`
	Act     Act    `yaml:"act" json:"act"`
}

func (a scenarioArm) moments(kind experiment.Kind) stats.Moments {
	squares := math.Max(0, float64(a.Units-1))
	if kind == experiment.Ratio {
		n, d := a.Numerator, a.Denominator
		both := a.Correlation * n.SD * d.SD * squares
		return stats.Joint{
			N: a.Units, NonZero: a.NonZero, Mean: []float64{n.Mean, d.Mean},
			Product: [][]float64{{n.SD * n.SD * squares, both}, {both, d.SD * d.SD * squares}},
		}.Ratio()
	}
	m := stats.Moments{N: a.Units, NonZero: a.NonZero, Mean: a.Mean, M2: a.SD * a.SD * squares}
	if kind.Binary() && a.Units > 0 {
		m.Mean = float64(a.NonZero) / float64(a.Units)
		m.M2 = float64(a.NonZero) * (1 - m.Mean)
	}
	return m
}

// rule fills in what the file leaves out.
func (s scenarioRule) rule() Rule {
	start := scenarioStart()
	return Rule{
		Experiment: "scenario", Iteration: 1, Metric: s.Metric, Arm: "treatment", Control: "control",
		Direction: s.Direction, Binary: s.Kind.Binary(), Margin: s.Margin, Relative: s.Relative,
		Method: s.Method, Mode: s.Mode, Limit: s.Limit, Hold: s.Hold.Std(), MinUnits: s.MinUnits, MinEvents: s.MinEvents, WarmUp: s.WarmUp.Std(), OnNoData: s.OnNoData,
		Alpha:        cmp.Or(s.Alpha, DefaultAlpha),
		AlphaKill:    cmp.Or(s.AlphaKill, DefaultAlpha) / float64(cmp.Or(s.KillRules, 1)),
		PlannedUnits: float64(s.PlannedUnits), TreatmentShare: cmp.Or(s.Share, 0.5),
		Start: start, End: start.Add(cmp.Or(s.Duration.Std(), 14*24*time.Hour)),
		Stall: cmp.Or(s.Stall.Std(), DefaultStall), Silence: cmp.Or(s.Silence.Std(), DefaultSilence),
	}
}
