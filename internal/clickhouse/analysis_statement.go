package clickhouse

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/sql"
)

// analysisRun is what the statement reads of the definition: all of it is bound.
type analysisRun struct {
	Experiment string             `json:"experiment"`
	UnitKind   string             `json:"unit_kind"`
	Variants   []string           `json:"variants"` // sorted
	Start      int64              `json:"start"`
	Enrol      int64              `json:"enrol"`
	Stop       int64              `json:"stop"`
	Exclude    bool               `json:"exclude"`
	Consents   []string           `json:"consents"`
	Verified   bool               `json:"verified"`
	Phases     []phaseFacts       `json:"phases"`
	Barring    [][]conditionFacts `json:"barring"`
	Cohort     []conditionFacts   `json:"cohort"`
	FirstFrom  int64              `json:"first_from"`
	FirstUntil int64              `json:"first_until"`
	Terms      []analysisTerm     `json:"terms"`
	Befores    []int64            `json:"befores"` // of each metric: first exposures before it have matured
}

// analysisTerm is a total of a unit.
type analysisTerm struct {
	Event       string           `json:"event"`
	Aggregation string           `json:"aggregation"`
	Attribute   string           `json:"attribute"`
	Decimals    int              `json:"decimals"`
	Most        int64            `json:"most"` // the cap in whole 10^-decimals
	After       int64            `json:"after"`
	Until       int64            `json:"until"`
	Conditions  []conditionFacts `json:"conditions"`
}

// analysisShape is the form of the statement: numbers and switches, and not a word of
// what somebody asked for.
type analysisShape struct {
	Terms      []int // 1, 2, …
	Metrics    []analysisColumns
	Ages       []string // of units: open, matured
	Attributes bool     // they are read
	Consent    bool     // exposures are asked for it
	Again      bool     // duplicates are looked for
	Spread     bool     // totals one by one, of the first metric
}

// analysisColumns are the places of a metric's totals, from 1; Denominator 0: none.
type analysisColumns struct{ Number, Total, Denominator int }

// Y, Z, Over, Nonzero and Aged are expressions over the columns of a unit's totals.
func (c analysisColumns) Y() string { return fmt.Sprintf("y%d", c.Total) }

func (c analysisColumns) Z() string {
	if c.Denominator == 0 {
		return "toInt128(0)"
	}
	return fmt.Sprintf("y%d", c.Denominator)
}

func (c analysisColumns) Over() string {
	return fmt.Sprintf("(abs(%s) >= edge OR abs(%s) >= edge)", c.Y(), c.Z())
}

func (c analysisColumns) Nonzero() string {
	if c.Denominator == 0 {
		return c.Y() + " != 0"
	}
	return c.Y() + " != 0 AND " + c.Z() + " != 0"
}

func (c analysisColumns) Aged(age string) string {
	if age == "open" {
		return "true"
	}
	return fmt.Sprintf("began < run.befores[%d]", c.Number)
}

func (s analysisShape) statement() (string, error) { return filled("analysis", sql.Analysis, s) }

func (s *AnalysisSpec) excludes() bool { return s.Experiment.Crossovers != experiment.First }

// run is the definition for these metrics, and the form of its statement.
func (s *AnalysisSpec) run(metrics []*experiment.Metric, spread bool) (analysisRun, analysisShape) {
	e, it := s.Experiment, s.Iteration
	facts := runOf(e, it)
	r := analysisRun{
		Experiment: e.Key, UnitKind: e.UnitKind, Variants: slices.Sorted(slices.Values(variantKeys(e))),
		Start: facts.Start, Enrol: facts.Enrol, Stop: facts.Stop, Exclude: facts.Exclude, Consents: facts.Consents, Verified: facts.Verified, Phases: facts.Phases,
		Barring: facts.Barring, Cohort: conditionsOf(s.Cohort), FirstFrom: math.MinInt64, FirstUntil: math.MaxInt64,
		Terms: []analysisTerm{}, Befores: []int64{},
	}
	if r.Barring == nil {
		r.Barring = [][]conditionFacts{}
	}
	if !s.From.IsZero() {
		r.FirstFrom = s.From.UnixMilli()
	}
	if !s.Until.IsZero() {
		r.FirstUntil = s.Until.UnixMilli()
	}
	shape := analysisShape{Ages: []string{"open", "matured"}, Spread: spread, Consent: len(r.Consents) > 0}
	shape.Attributes = shape.Consent || len(r.Barring)+len(r.Cohort) > 0 || it.Samples()
	for i, m := range metrics {
		columns := analysisColumns{Number: i + 1, Total: len(r.Terms) + 1}
		for k, t := range metricOf(e, m).Terms {
			r.Terms = append(r.Terms, analysisTerm{t.Event, t.Aggregation, t.Attribute, t.Decimals, mostOf(t), t.After, t.Until, t.Conditions})
			shape.Terms = append(shape.Terms, len(r.Terms))
			if k == 1 {
				columns.Denominator = len(r.Terms)
			}
			shape.Attributes = shape.Attributes || t.Attribute != "" || len(t.Conditions) > 0
		}
		shape.Metrics = append(shape.Metrics, columns)
		r.Befores = append(r.Befores, s.before(m))
	}
	return r, shape
}

// mostOf is a total's cap; what has none is bounded by its type.
func mostOf(t termFacts) int64 {
	whole := wholeCap(&experiment.Cap{At: t.Most}, t.Decimals)
	if v, ok := new(big.Int).SetString(whole, 10); ok && v.IsInt64() {
		return v.Int64()
	}
	return math.MaxInt64
}

// before is the time before which a unit's first exposure lies when its slot has
// matured.
func (s *AnalysisSpec) before(m *experiment.Metric) int64 {
	cutoff, known := s.Matured[m.Name]
	if !known {
		return math.MinInt64
	}
	slot := experiment.SlotOf(s.Experiment.WindowOf(m)).Milliseconds()
	return (cutoff.UnixMilli() + slot - 1) / slot * slot
}
