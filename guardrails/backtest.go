package guardrails

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Backtest plays the history of an iteration under rules that may not be those that ran.
// It judges each look as a guard would have, with the same memory; only the limits of the
// iteration are lifted, since the question is what the rules would have done.
type Backtest struct {
	out    BacktestResult
	rules  []Rule
	states []State
	bases  []float64 // of the rules' arms, when they fired
	alarms []Alarm
	last   *results.Document
}

// BacktestResult is what became of it.
type BacktestResult struct {
	Experiment string         `json:"experiment"`
	Iteration  uint32         `json:"iteration"`
	Looks      int            `json:"looks"`
	From       time.Time      `json:"from,omitzero"` // first look
	To         time.Time      `json:"to,omitzero"`   // last one
	Split      []Alarm        `json:"split,omitempty"`
	Rules      []BacktestRule `json:"rules"`
	Kill       *BacktestKill  `json:"kill,omitempty"` // the first that would have turned it off
}

// BacktestKill is the first breach of a rule of mode kill.
type BacktestKill struct {
	At     time.Time `json:"at"`
	Metric string    `json:"metric"`
	Arm    string    `json:"arm"`
}

// BacktestRule is one rule for one arm.
type BacktestRule struct {
	Metric   string             `json:"metric"`
	Arm      string             `json:"arm"`
	Mode     experiment.Mode    `json:"mode"`
	Method   experiment.Method  `json:"method"`
	Margin   float64            `json:"margin"`
	Relative bool               `json:"relative"`
	Alpha    float64            `json:"alpha"`
	Fired    *BacktestFire      `json:"fired,omitempty"`
	Judged   map[Reason]int     `json:"judged"` // looks by their reason
	Outcome  Outcomes           `json:"outcome"`
	Avoided  *BacktestAvoided   `json:"avoided,omitempty"` // after Fired, until the last look
	Ran      []BacktestDecision `json:"ran,omitempty"`     // what the guard decided about it then
}

// BacktestFire is the first breach.
type BacktestFire struct {
	At     time.Time     `json:"at"`
	Reason Reason        `json:"reason"`
	Text   string        `json:"text"`
	Harm   *results.Test `json:"harm,omitempty"`
}

// BacktestDecision is a line of the decision log.
type BacktestDecision struct {
	At     time.Time `json:"at"`
	Act    Act       `json:"act"`
	Reason Reason    `json:"reason"`
}

// BacktestAvoided is what the rule would have spared: the units that its arm got after
// it had fired, times the effect that the last look shows of units with complete
// windows. Where the arm was the better one after all, it is negative: a loss.
type BacktestAvoided struct {
	Base  float64        `json:"base"`
	Of    string         `json:"of"`   // what Base counts: units, or of a ratio its denominator
	Each  results.Number `json:"each"` // harm by one of them
	Harm  results.Number `json:"harm"` // Base·Each, in the metric's unit
	Low   results.Number `json:"low"`  // with the interval of the effect that holds at every look
	High  results.Number `json:"high"`
	Until time.Time      `json:"until"`
}

// Outcomes is what the last look says of a rule: whether a stop was right.
type Outcomes string

// The outcomes. They rest on units with complete windows, at the unsplit α.
const (
	Confirmed Outcomes = "confirmed" // harm beyond the margin is shown
	Refuted   Outcomes = "refuted"   // harm as large as the margin is refuted: a stop was a false one
	Open      Outcomes = "open"      // neither
)

// NewBacktest plays the rules of an iteration.
func NewBacktest(e *experiment.Experiment, it *experiment.Iteration) *Backtest {
	b := &Backtest{rules: Rules(e, it), out: BacktestResult{Experiment: e.Key, Iteration: it.Number}}
	b.states, b.bases = make([]State, len(b.rules)), make([]float64, len(b.rules))
	for i := range b.rules {
		r := &b.rules[i]
		r.Limit = ""
		b.out.Rules = append(b.out.Rules, BacktestRule{
			Metric: r.Metric, Arm: r.Arm, Mode: r.Mode, Method: cmp.Or(r.Method, experiment.ByMean), Margin: r.Margin, Relative: r.Relative,
			Alpha: r.AlphaKill, Judged: map[Reason]int{}, Outcome: Open,
		})
	}
	return b
}

// Look judges the next look. What was acknowledged then is acknowledged here.
func (b *Backtest) Look(d *results.Document) {
	if b.out.Looks++; b.out.Looks == 1 {
		b.out.From = d.At
	}
	b.out.To, b.last = d.At, d
	if len(d.Troubles) == 0 {
		b.alarms, _ = StepSRM(b.alarms, Splits(d), d.At)
	}
	for i := range b.alarms {
		for k := range d.Phases {
			if a := d.Phases[k].Alarm; a != nil && d.Phases[k].Number == b.alarms[i].Phase {
				b.alarms[i].Acknowledged, b.alarms[i].By, b.alarms[i].Why = a.Acknowledged, a.By, a.Why
			}
		}
	}
	for i, r := range b.rules {
		var v Verdict
		b.states[i], v = Step(r, b.states[i], Observe(d, r, b.alarms))
		out := &b.out.Rules[i]
		out.Judged[v.Reason]++
		if out.Fired != nil || v.Act == DoNothing || v.Reason != Harm && v.Act < DoKill {
			continue
		}
		out.Fired = &BacktestFire{At: d.At, Reason: v.Reason, Text: v.Text, Harm: v.Harm}
		b.bases[i] = base(d, r)
		if b.out.Kill == nil && v.Act == DoKill {
			b.out.Kill = &BacktestKill{At: d.At, Metric: r.Metric, Arm: r.Arm}
		}
	}
}

// Ran notes what was decided then.
func (b *Backtest) Ran(entries []Entry) {
	for _, e := range entries {
		if e.Kind != Decided || e.Experiment != b.out.Experiment || e.Iteration != b.out.Iteration {
			continue
		}
		i := slices.IndexFunc(b.rules, func(r Rule) bool { return r.Metric == e.Guardrail && r.Arm == e.Arm })
		if i >= 0 {
			b.out.Rules[i].Ran = append(b.out.Rules[i].Ran, BacktestDecision{At: e.At, Act: e.Act, Reason: e.Reason})
		}
	}
}

// Result sums up after the last look.
func (b *Backtest) Result() BacktestResult {
	b.out.Split = b.alarms
	for i, r := range b.rules {
		if b.last == nil {
			break
		}
		out := &b.out.Rules[i]
		out.Outcome = outcome(r, Observe(b.last, r, nil))
		if out.Fired != nil {
			out.Avoided = b.avoided(r, base(b.last, r)-b.bases[i])
		}
	}
	return b.out
}

// outcome judges the units with complete windows at the unsplit α, both ways.
func outcome(r Rule, o Observation) Outcomes {
	r.AlphaKill, o.Open = r.Alpha, o.Matured
	if r.wrong() != "" || o.Over > 0 {
		return Open
	}
	j := judge{rule: r, obs: o}
	v := j.measure()
	switch {
	case v.Safe.Reject:
		return Refuted
	case v.Harm.Reject && v.Gate.Passes:
		return Confirmed
	}
	return Open
}

// base is what the arm's harm is counted by: its units, or a ratio's denominator.
func base(d *results.Document, r Rule) float64 {
	var total float64
	for i := range d.Cells {
		c := &d.Cells[i]
		if c.Metric != r.Metric || c.Variant != r.Arm || c.Dimension != "" {
			continue
		}
		if c.DenominatorDecimals == nil {
			total += float64(c.Open.N)
			continue
		}
		if z, ok := new(big.Float).SetString(c.Open.SumDenominator); ok {
			f, _ := z.Float64()
			total += f / math.Pow10(*c.DenominatorDecimals)
		}
	}
	return total
}

// avoided multiplies what came after with the effect of the last look.
func (b *Backtest) avoided(r Rule, after float64) *BacktestAvoided {
	i := slices.IndexFunc(b.last.Comparisons, func(c results.Comparison) bool { return c.Metric == r.Metric && c.Arm == r.Arm })
	if i < 0 {
		return nil
	}
	effect := b.last.Comparisons[i].Matured.Absolute
	low, high := effect.Sequential.Low, effect.Sequential.High
	sign := results.Number(1)
	if r.Direction == experiment.Increase { // a fall is the harm
		sign, low, high = -1, -high, -low
	}
	n, of := results.Number(after), "units"
	if b.last.Comparisons[i].Kind == string(experiment.Ratio) {
		of = "of the denominator"
	}
	return &BacktestAvoided{Base: after, Of: of, Each: sign * effect.Estimate, Harm: n * sign * effect.Estimate, Low: n * low, High: n * high, Until: b.last.At}
}
