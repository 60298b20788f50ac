package results

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// KindAnalysis is the kind of a document that an exploratory analysis has.
const KindAnalysis = "analysis"

// Analysis is an iteration's results under a definition that was not planned. It is
// computed from stored events, stored like a look under an id of its own, and takes the
// place of nothing.
type Analysis struct {
	ID          string             `json:"id,omitempty"`
	Name        string             `json:"name,omitempty"` // empty: it was only run
	Exploratory bool               `json:"exploratory"`    // always true
	Notice      string             `json:"notice"`         // what that means, for people
	Experiment  string             `json:"experiment"`
	Iteration   uint32             `json:"iteration"`
	Definition  AnalysisDefinition `json:"definition"`
	Changes     []string           `json:"changes"` // the definition in words
	Author      string             `json:"author"`
	At          time.Time          `json:"at"`
	Version     uint32             `json:"version"` // of the configuration
	Code        string             `json:"code"`    // of the program
	Vector      map[uint16]uint64  `json:"vector"`  // shard → last part whose events are in the numbers
	// Number is how many different exploratory analyses of the iteration there were,
	// this one included; Level is what a p-value must be below to stand for all of them.
	Number   int               `json:"number"`
	Level    float64           `json:"level"`
	Caps     map[string]string `json:"caps,omitempty"` // what percentile caps became, by metric
	Warnings []Doubt           `json:"warnings,omitempty"`
	Document *Document         `json:"document"`
}

// AnalysisDefinition is what an analysis changes of the plan; the zero of a field
// leaves the plan as it is.
type AnalysisDefinition struct {
	Window  experiment.Duration  `json:"window,omitempty"`
	Cap     *experiment.Cap      `json:"cap,omitempty"`   // of every mean, sum and count
	Where   experiment.Condition `json:"where,omitempty"` // attributes that a unit's first exposure must have
	From    time.Time            `json:"from,omitzero"`   // of first exposures: [From, Until)
	Until   time.Time            `json:"until,omitzero"`
	Metrics []experiment.Metric  `json:"metrics,omitempty"` // instead of the planned ones
	Only    []string             `json:"only,omitempty"`    // of the planned ones
}

// Fingerprint tells two definitions apart.
func (d AnalysisDefinition) Fingerprint() string {
	b, err := json.Marshal(d) // maps are written in order
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Words are the changes, one each.
func (d AnalysisDefinition) Words() []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	if d.Window > 0 {
		say("window %s", d.Window)
	}
	switch {
	case d.Cap == nil:
	case d.Cap.At != "":
		say("cap %s", d.Cap.At)
	default:
		say("cap at percentile %g of the units' totals", d.Cap.Percentile)
	}
	for _, name := range d.Where.Names() {
		say("units first exposed with %s %q", name, d.Where[name])
	}
	if !d.From.IsZero() {
		say("first exposed from %s on", d.From.UTC().Format(time.RFC3339))
	}
	if !d.Until.IsZero() {
		say("first exposed before %s", d.Until.UTC().Format(time.RFC3339))
	}
	for i := range d.Metrics {
		say("metric %s (%s) as defined for it", d.Metrics[i].Name, d.Metrics[i].Kind)
	}
	if len(d.Only) > 0 {
		say("of the planned metrics only %s", strings.Join(d.Only, ", "))
	}
	if len(out) == 0 {
		say("the planned definition, from stored events")
	}
	return out
}

// Apply makes the experiment and the iteration as the definition has them: without
// guardrails, dimensions and dated looks, which are of the plan. What was ended stays
// ended.
func (d AnalysisDefinition) Apply(e *experiment.Experiment, it *experiment.Iteration) (*experiment.Experiment, *experiment.Iteration, error) {
	out, run := *e.AsOf(it), *it
	run.Design, run.Metrics = nil, slices.Clone(it.Metrics)
	if len(d.Metrics) > 0 {
		run.Metrics = slices.Clone(d.Metrics)
		slices.SortFunc(run.Metrics, func(a, b experiment.Metric) int { return strings.Compare(a.Name, b.Name) })
	}
	for _, name := range d.Only {
		if run.Metric(name) == nil {
			return nil, nil, fmt.Errorf("iteration %d of %s has no metric %q", it.Number, e.Key, name)
		}
	}
	if len(d.Only) > 0 {
		run.Metrics = slices.DeleteFunc(run.Metrics, func(m experiment.Metric) bool { return !slices.Contains(d.Only, m.Name) })
	}
	if d.Window > 0 {
		out.Window = d.Window
	}
	for i := range run.Metrics {
		m := &run.Metrics[i]
		if d.Window > 0 {
			m.Window = 0
		}
		if err := d.cap(m); err != nil {
			return nil, nil, err
		}
	}
	out.Guardrails, out.Checks, out.Dimensions, out.Looks = nil, experiment.Checks{}, nil, experiment.Looks{}
	out.Goals = slices.DeleteFunc(slices.Clone(out.Goals), func(name string) bool { return run.Metric(name) == nil })
	out.Iterations = slices.Clone(e.Iterations)
	for i := range out.Iterations {
		if out.Iterations[i].Number == it.Number {
			out.Iterations[i] = run
		}
	}
	return &out, &run, nil
}

// cap puts the definition's cap on a metric that has a total to cut. A planned cap that
// is not a number yet does nothing, as in the plan.
func (d AnalysisDefinition) cap(m *experiment.Metric) error {
	if d.Cap == nil {
		if m.CapOpen() && len(d.Metrics) == 0 {
			m.Cap = nil
		}
		return nil
	}
	if !slices.Contains([]experiment.Kind{experiment.Mean, experiment.Sum, experiment.Count}, m.Kind) {
		return nil
	}
	own := *d.Cap
	if own.At != "" {
		if problem, _ := experiment.CapProblem(&own, m.Decimals); problem != "" {
			return fmt.Errorf("cap of %s: %s", m.Name, problem)
		}
	}
	m.Cap = &own
	return nil
}

// Codes of an analysis's warnings.
const (
	ExploratoryDoubt = "exploratory"
	WindowCut        = "window_cut"
	CapFromData      = "cap_from_data"
)

// NewAnalysis makes the analysis of cells and rows that were computed under the
// definition; v, e and it are what it made of the plan. number counts this one.
func NewAnalysis(d AnalysisDefinition, v *experiment.Version, e *experiment.Experiment, it *experiment.Iteration, m Moments,
	open, matured []SlowRow, statuses []ShardStatus, now time.Time, code string, number int,
) *Analysis {
	doc := Compute(v, e, it.Number, m, statuses, now, Options{Code: code, Kind: KindAnalysis})
	a := &Analysis{
		Exploratory: true, Experiment: e.Key, Iteration: it.Number, Definition: d, Changes: d.Words(), At: now, Version: v.Number, Code: code,
		Vector: m.Vector, Number: number, Level: e.Alpha / float64(max(number, 1)), Document: &doc,
	}
	if rows := SlowMetrics(e, it, nil); len(rows) > 0 {
		doc.Slow = &Slow{Experiment: e.Key, Iteration: it.Number, Version: v.Number, Code: code, At: now, Vector: m.Vector,
			Comparisons: ComputeSlow(e, it, open, matured)}
	}
	a.Notice = fmt.Sprintf("exploratory: chosen when the data could be seen, analysis %d of iteration %d; a fixed interval is that of one planned look, "+
		"which this was not, and a p-value that stands for all %d must be below %.2g", number, it.Number, number, a.Level)
	doc.Exploratory = a.Notice
	AddDetails(e, &doc)
	a.warn(e, it)
	return a
}

// warn adds what weakens the numbers, and takes the intervals for every look away where
// no theorem carries them.
func (a *Analysis) warn(e *experiment.Experiment, it *experiment.Iteration) {
	a.Warnings = append(a.Warnings, Doubt{ExploratoryDoubt, a.Notice})
	a.warnOfWindows(e, it)
	for i := range it.Metrics {
		m := &it.Metrics[i]
		if m.Cap == nil || m.Cap.Percentile == 0 || a.Definition.Cap == nil && len(a.Definition.Metrics) == 0 {
			continue
		}
		a.Warnings = append(a.Warnings, Doubt{CapFromData, m.Name + ": its cap was read from the same units, so that there is no interval for every look"})
		for k := range a.Document.Comparisons {
			if c := &a.Document.Comparisons[k]; c.Metric == m.Name {
				c.Open.withholdSequential()
				c.Matured.withholdSequential()
			}
		}
	}
}

// warnOfWindows says which windows the iteration's end cuts, of all metrics that have it
// in one sentence.
func (a *Analysis) warnOfWindows(e *experiment.Experiment, it *experiment.Iteration) {
	var windows []experiment.Duration
	of := map[experiment.Duration][]string{}
	for i := range it.Metrics {
		m := &it.Metrics[i]
		window := e.WindowOf(m)
		if !it.EnrolUntil.Add(window.Std()).After(it.End) {
			continue
		}
		if of[window] == nil {
			windows = append(windows, window)
		}
		of[window] = append(of[window], m.Name)
	}
	for _, window := range windows {
		a.Warnings = append(a.Warnings, Doubt{WindowCut, fmt.Sprintf("%s: the iteration ends at %s, and no outcome counts from then on: units first exposed after %s have a shorter window than %s",
			strings.Join(of[window], ", "), it.End.UTC().Format(time.RFC3339), it.End.Add(-window.Std()).UTC().Format(time.RFC3339), window)})
	}
}

// withholdSequential leaves the fixed interval alone.
func (e *Estimate) withholdSequential() {
	unknown := Number(math.NaN())
	for _, effect := range []*Effect{&e.Absolute, &e.Relative} {
		effect.Sequential, effect.SequentialP = Interval{unknown, unknown}, unknown
	}
}
