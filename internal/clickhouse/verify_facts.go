package clickhouse

import (
	"encoding/json"
	"strings"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// What a configuration says, in the form that verify_cells.sql reads. Times and
// lengths are milliseconds.

type trialFacts struct {
	Experiment string      `json:"experiment"`
	UnitKind   string      `json:"unit_kind"`
	Variants   []string    `json:"variants"`
	Window     int64       `json:"window"`
	Spans      []spanFacts `json:"spans"`
}

type spanFacts struct {
	Number uint32 `json:"number"`
	Start  int64  `json:"start"`
	Stop   int64  `json:"stop"`
	Killed bool   `json:"killed"`
}

type runFacts struct {
	Experiment string             `json:"experiment"`
	Iteration  uint32             `json:"iteration"`
	Start      int64              `json:"start"`
	Enrol      int64              `json:"enrol"`
	Stop       int64              `json:"stop"`
	UnitKind   string             `json:"unit_kind"`
	Variants   []string           `json:"variants"`
	Window     int64              `json:"window"`
	Exclude    bool               `json:"exclude"`
	Consents   []string           `json:"consents"` // that count for a unit; none: all do
	Verified   bool               `json:"verified"` // attributes that are not proved are none
	Phases     []phaseFacts       `json:"phases"`
	Dimensions []dimensionFacts   `json:"dimensions"`
	Barring    [][]conditionFacts `json:"barring"`
	Metrics    []metricFacts      `json:"metrics"`
}

type phaseFacts struct {
	Number  uint16 `json:"number"`
	Start   int64  `json:"start"`
	Settled int64  `json:"settled"`
}

type dimensionFacts struct {
	Attribute string   `json:"attribute"`
	Listed    []string `json:"listed"`
}

// aggregations say what the events of a unit become; a ratio's parts say it
// themselves, and a quantile is not counted.
var aggregations = map[experiment.Kind]experiment.Aggregation{
	experiment.Mean: experiment.AggregateSum, experiment.Sum: experiment.AggregateSum, experiment.Count: experiment.AggregateCount,
	experiment.Proportion: experiment.AggregateAny, experiment.Retention: experiment.AggregateAny,
}

// metricFacts has one total of each unit, a ratio two.
type metricFacts struct {
	Name   string      `json:"name"`
	Window int64       `json:"window"` // for the slot
	Ratio  bool        `json:"ratio"`
	Terms  []termFacts `json:"terms"`
}

// termFacts is a total: an outcome counts when after ≤ its time − first exposure ≤
// until.
type termFacts struct {
	Event       string           `json:"event"`
	Aggregation string           `json:"aggregation"`
	Attribute   string           `json:"attribute"`
	Decimals    int              `json:"decimals"`
	Most        string           `json:"most"` // the cap; empty: none
	After       int64            `json:"after"`
	Until       int64            `json:"until"`
	Conditions  []conditionFacts `json:"conditions"`
}

type conditionFacts struct {
	Attribute string `json:"attribute"`
	Wanted    string `json:"wanted"`
}

// facts are the two parameters of verify_cells.sql for the experiments of a version
// whose key is only, or for all of them.
func facts(v *experiment.Version, only string) (trials, runs string, err error) {
	allTrials, allRuns := []trialFacts{}, []runFacts{}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		if only != "" && e.Key != only {
			continue
		}
		t := trialFacts{Experiment: e.Key, UnitKind: e.UnitKind, Variants: variantKeys(e), Window: e.Window.Milliseconds()}
		for k := range e.Iterations {
			it := &e.Iterations[k]
			t.Spans = append(t.Spans, spanFacts{it.Number, it.Start.UnixMilli(), it.End.UnixMilli(), it.Killed != nil})
			allRuns = append(allRuns, runOf(e.AsOf(it), it))
		}
		allTrials = append(allTrials, t)
	}
	a, err := json.Marshal(allTrials)
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(allRuns)
	return string(a), string(b), err
}

func variantKeys(e *experiment.Experiment) []string {
	var keys []string
	for _, v := range e.Variants {
		keys = append(keys, v.Key)
	}
	return keys
}

// runOf takes the experiment as it was when the iteration ran.
func runOf(e *experiment.Experiment, it *experiment.Iteration) runFacts {
	r := runFacts{
		Experiment: e.Key, Iteration: it.Number,
		Start: it.Start.UnixMilli(), Enrol: it.EnrolUntil.UnixMilli(), Stop: it.End.UnixMilli(),
		UnitKind: e.UnitKind, Variants: variantKeys(e), Window: e.Window.Milliseconds(),
		Exclude: e.Crossovers != experiment.First, Consents: consentsOf(e.Consent), Verified: e.Attributes == experiment.VerifiedAttributes,
	}
	for _, p := range it.Phases {
		from := p.From.UnixMilli()
		r.Phases = append(r.Phases, phaseFacts{p.Number, from, from + p.Settle.Milliseconds()})
	}
	if len(r.Phases) == 0 {
		r.Phases = []phaseFacts{{1, r.Start, r.Start}}
	}
	for _, d := range e.Dimensions {
		r.Dimensions = append(r.Dimensions, dimensionFacts{d.Attribute, d.Values})
	}
	for _, c := range e.Exclude {
		r.Barring = append(r.Barring, conditionsOf(c))
	}
	r.Metrics = []metricFacts{{Name: ingest.Units, Window: r.Window}} // the unit itself
	for i := range it.Metrics {
		if it.Metrics[i].Kind.Fast() {
			r.Metrics = append(r.Metrics, metricOf(e, &it.Metrics[i]))
		}
	}
	return r
}

func metricOf(e *experiment.Experiment, m *experiment.Metric) metricFacts {
	f := metricFacts{Name: m.Name, Window: e.WindowOf(m).Milliseconds(), Ratio: m.Kind == experiment.Ratio}
	after, until := -e.Grace.Milliseconds(), f.Window
	if m.Kind == experiment.Retention {
		after, until = m.From.Milliseconds(), m.To.Milliseconds()-1
	}
	parts := []experiment.Part{{Event: m.Event, Value: m.Value, Where: m.Where, Decimals: m.Decimals, Cap: m.Cap, Aggregation: aggregations[m.Kind]}}
	if f.Ratio {
		parts = []experiment.Part{*m.Numerator, *m.Denominator}
	}
	for _, p := range parts {
		t := termFacts{Event: p.Event, Aggregation: string(p.Aggregation), Decimals: p.Decimals, After: after, Until: until, Conditions: conditionsOf(p.Where)}
		if name, ok := strings.CutPrefix(p.Value, "attrs."); ok {
			t.Attribute = name
		}
		if p.Cap != nil {
			t.Most = p.Cap.At
		}
		f.Terms = append(f.Terms, t)
	}
	return f
}

func conditionsOf(c experiment.Condition) []conditionFacts {
	out := []conditionFacts{}
	for name, value := range c {
		out = append(out, conditionFacts{name, value})
	}
	return out
}

// consentsOf lists what an exposure may say to count for its unit; nothing is asked: an
// empty list.
func consentsOf(c experiment.Consent) []string {
	switch c.Require {
	case experiment.RequireGranted:
		return []string{experiment.ConsentGranted, experiment.ConsentNotRequired}
	case experiment.RequireNotDenied:
		return []string{experiment.ConsentGranted, experiment.ConsentNotRequired, experiment.ConsentUnknown}
	}
	return []string{}
}
