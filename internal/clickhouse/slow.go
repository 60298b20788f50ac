package clickhouse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/sql"
)

// Position is where a shard stands.
type Position struct {
	Shard uint16
	Seq   uint64
	Next  map[string]int64 // topic → next offset
}

// Positions says where every shard stands.
func (db *DB) Positions(ctx context.Context) ([]Position, error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return nil, err
	}
	return collect(ctx, db, "positions", nil, func(rows native.Rows, p *Position) error {
		return rows.Scan(&p.Shard, &p.Seq, &p.Next)
	})
}

// prePeriod is how long before its first exposure a unit's outcomes make its
// covariate.
const prePeriod = 30 * 24 * time.Hour

// Slow computes metrics of an iteration from the events below the positions.
func (db *DB) Slow(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, metrics []results.SlowMetric, at []Position) ([]results.SlowRow, error) {
	if len(metrics) == 0 {
		return nil, nil
	}
	return db.slow(ctx, slowRunOf(e, it, metrics), at)
}

// SlowOf is Slow of the units of a cohort alone: those whose first exposure has the
// attributes and lies in [from, until); a zero time leaves that side open.
func (db *DB) SlowOf(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, metrics []results.SlowMetric,
	cohort experiment.Condition, from, until time.Time, at []Position,
) ([]results.SlowRow, error) {
	if len(metrics) == 0 {
		return nil, nil
	}
	run := slowRunOf(e, it, metrics)
	run.Cohort = wanted(cohort)
	if !from.IsZero() {
		run.FirstFrom = from.UnixMilli()
	}
	if !until.IsZero() {
		run.FirstUntil = until.UnixMilli()
	}
	return db.slow(ctx, run, at)
}

// Placebo halves the control's units of an iteration at random, as often as asked for,
// and computes metrics of each half from the events below the positions. The variant
// of a row is "k/0" or "k/1" for halving k. A unit stays in its halves for good.
func (db *DB) Placebo(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, metrics []results.SlowMetric, splits uint8, at []Position) ([]results.SlowRow, error) {
	if len(metrics) == 0 || splits == 0 {
		return nil, nil
	}
	run := slowRunOf(e, it, metrics)
	run.Control, run.Splits, run.Salt = e.AsOf(it).Control, splits, fmt.Sprintf("placebo/%s/%d", e.Key, it.Number)
	return db.slow(ctx, run, at)
}

func (db *DB) slow(ctx context.Context, r slowRun, at []Position) ([]results.SlowRow, error) {
	exposures, _, err := one(ctx, db, "exposures_of_one", args{"experiment": r.Experiment}, func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	if err != nil {
		return nil, err
	}
	return db.slowRows(ctx, r, at, exposures <= seenAtMost)
}

// slowText is what the statement's text depends on.
type slowText struct {
	Exposures, Outcomes slowRead
	Totals, Quantiles   bool // metrics of either sort are asked for
}

type slowRead struct{ Few, Outcome bool }

func slowShape(r slowRun, few bool) slowText {
	s := slowText{Exposures: slowRead{Few: few}, Outcomes: slowRead{Few: few, Outcome: true}}
	for _, m := range r.Metrics {
		quantile := m.Kind == string(experiment.Quantile)
		s.Quantiles, s.Totals = s.Quantiles || quantile, s.Totals || !quantile
	}
	return s
}

// slowRows reads the events of an experiment's units, which are few, or all events.
func (db *DB) slowRows(ctx context.Context, r slowRun, at []Position, few bool) ([]results.SlowRow, error) {
	run, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode what to compute: %w", err)
	}
	text, err := filled("slow", sql.Slow, slowShape(r, few))
	if err != nil {
		return nil, fmt.Errorf("write the query for slow metrics: %w", err)
	}
	places, next := placesOf(at)
	params := args{"run": string(run), "experiment": r.Experiment, "places": places, "next": next, "z": results.QuantileZ}
	return collectText(ctx, db, "slow", text, params, scanSlow)
}

func scanSlow(rows native.Rows, r *results.SlowRow) error {
	var kind string
	var order [3]string // low, point, high
	var sums, products, days, daySquares []string
	var n, units int64
	err := rows.Scan(&kind, &r.Phase, &r.Variant, &r.Metric, &n, &r.NonZero, &r.Over, &order[0], &order[1], &order[2], &sums, &products, &units, &days, &daySquares)
	if err != nil {
		return err
	}
	points, err := wholes(order[:])
	if err != nil {
		return err
	}
	r.N = n
	if r.Quantile = kind == "quantile"; r.Quantile {
		r.N, r.Events = units, n
		r.Low, r.Point, r.High = points[0], points[1], points[2]
	} else {
		r.Trend = results.TrendSums{N: units, Sum: points[0], Squares: points[1]}
		if r.Trend.Days, err = daySums(days, daySquares); err != nil {
			return err
		}
	}
	if r.Sums, err = wholes(sums); err != nil {
		return err
	}
	flat, err := wholes(products)
	if err != nil {
		return err
	}
	for row := range slices.Chunk(flat, max(len(sums), 1)) {
		r.Products = append(r.Products, row)
	}
	return nil
}

func daySums(sums, squares []string) ([]results.DaySums, error) {
	a, err := wholes(sums)
	if err != nil {
		return nil, err
	}
	b, err := wholes(squares)
	if err != nil {
		return nil, err
	}
	var out []results.DaySums
	for i := range a {
		out = append(out, results.DaySums{Sum: a[i], Squares: b[i]})
	}
	return out, nil
}

// wholes reads whole numbers; an empty text is 0.
func wholes(texts []string) ([]*big.Int, error) {
	out := make([]*big.Int, len(texts))
	for i, text := range texts {
		v, ok := new(big.Int).SetString(cmp.Or(text, "0"), 10)
		if !ok {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		out[i] = v
	}
	return out, nil
}

// What slow.sql reads of the configuration.
type slowRun struct {
	Experiment string           `json:"experiment"`
	UnitKind   string           `json:"unit_kind"`
	Variants   []string         `json:"variants"`
	Start      int64            `json:"start"`
	Enrol      int64            `json:"enrol"`
	Stop       int64            `json:"stop"`
	Grace      int64            `json:"grace"`
	Exclude    bool             `json:"exclude"`
	Consents   []string         `json:"consents"` // that count for a unit; none: all do
	Verified   bool             `json:"verified"` // attributes that are not proved are none
	Exclusions [][]slowWanted   `json:"exclusions"`
	Phases     []slowPhase      `json:"phases"`
	PreStop    int64            `json:"pre_stop"`
	PreLength  int64            `json:"pre_length"`
	Events     []string         `json:"events"` // of any metric
	Metrics    []slowMetricText `json:"metrics"`
	Control    string           `json:"control"` // whose units are halved
	Splits     uint8            `json:"splits"`  // 0: none, variants stand as they are
	Salt       string           `json:"salt"`

	Cohort     []slowWanted `json:"cohort"` // attributes that a first exposure must have
	FirstFrom  int64        `json:"first_from"`
	FirstUntil int64        `json:"first_until"`
}

type slowPhase struct {
	Number  uint16 `json:"number"`
	Start   int64  `json:"start"`
	Settled int64  `json:"settled"`
}

type slowWanted struct {
	Attribute string `json:"attribute"`
	Wanted    string `json:"wanted"`
}

type slowMetricText struct {
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	From       int64      `json:"from"`
	Upto       int64      `json:"upto"`
	Parts      []slowPart `json:"parts"` // numerator and denominator of a ratio, else one
	Covariates []string   `json:"covariates"`
	XDecimals  int        `json:"x_decimals"`
	Quantile   float64    `json:"quantile"`
	Before     int64      `json:"before"`
	Days       int        `json:"days"`
}

type slowPart struct {
	Event      string       `json:"event"`
	Kind       string       `json:"kind"`
	Attribute  string       `json:"attribute"`
	Decimals   int          `json:"decimals"`
	Conditions []slowWanted `json:"conditions"`
	Cap        string       `json:"cap"` // in whole 10^-decimals; empty: none
}

func slowRunOf(e *experiment.Experiment, it *experiment.Iteration, metrics []results.SlowMetric) slowRun {
	first := it.Start
	for i := range e.Iterations {
		if e.Iterations[i].Salt == it.Salt && e.Iterations[i].Start.Before(first) {
			first = e.Iterations[i].Start
		}
	}
	e = e.AsOf(it)
	r := slowRun{
		Experiment: e.Key, UnitKind: e.UnitKind,
		Start: it.Start.UnixMilli(), Enrol: it.EnrolUntil.UnixMilli(), Stop: it.End.UnixMilli(), Grace: e.Grace.Milliseconds(),
		Exclude: e.Crossovers != experiment.First, Exclusions: [][]slowWanted{},
		Consents: consentsOf(e.Consent), Verified: e.Attributes == experiment.VerifiedAttributes,
		PreStop: first.UnixMilli(), PreLength: prePeriod.Milliseconds(),
		Cohort: []slowWanted{}, FirstFrom: math.MinInt64, FirstUntil: math.MaxInt64,
	}
	for _, v := range e.Variants {
		r.Variants = append(r.Variants, v.Key)
	}
	for _, c := range e.Exclude {
		r.Exclusions = append(r.Exclusions, wanted(c))
	}
	for _, p := range it.Phases {
		from := p.From.UnixMilli()
		r.Phases = append(r.Phases, slowPhase{p.Number, from, from + p.Settle.Milliseconds()})
	}
	for _, m := range metrics {
		text := slowMetricOf(e, m)
		r.Metrics = append(r.Metrics, text)
		for _, p := range text.Parts {
			r.Events = append(r.Events, p.Event)
		}
	}
	return r
}

func slowMetricOf(e *experiment.Experiment, m results.SlowMetric) slowMetricText {
	window := e.WindowOf(m.Metric)
	out := slowMetricText{
		Name: m.Name, Kind: string(m.Kind), From: m.From.Milliseconds(), Upto: window.Milliseconds(),
		Parts: slowParts(m.Metric), Covariates: []string{}, XDecimals: results.CovariateDecimals,
		Quantile: m.Quantile, Before: 1<<63 - 1, Days: m.Days,
	}
	for _, c := range m.Covariates() {
		out.Covariates = append(out.Covariates, covariateName(c))
	}
	if m.Kind == experiment.Retention {
		out.Upto = m.To.Milliseconds()
	}
	if !m.Before.IsZero() {
		// Slots that start before the time have matured: their units are those first
		// exposed before the first slot that does not.
		slot := experiment.SlotOf(window).Milliseconds()
		out.Before = (m.Before.UnixMilli() + slot - 1) / slot * slot
	}
	return out
}

// slowParts are what a unit's totals are made of.
func slowParts(m *experiment.Metric) []slowPart {
	if m.Kind != experiment.Ratio {
		return []slowPart{{m.Event, string(m.Kind), m.AttributeOf(), m.Decimals, wanted(m.Where), wholeCap(m.Cap, m.Decimals)}}
	}
	var out []slowPart
	for _, p := range []*experiment.Part{m.Numerator, m.Denominator} {
		kind := map[experiment.Aggregation]experiment.Kind{
			experiment.AggregateSum: experiment.Sum, experiment.AggregateCount: experiment.Count, experiment.AggregateAny: experiment.Proportion,
		}[p.Aggregation]
		out = append(out, slowPart{p.Event, string(kind), p.Attribute(), p.Decimals, wanted(p.Where), wholeCap(p.Cap, p.Decimals)})
	}
	return out
}

// wholeCap is a cap in whole 10^-decimals; empty: none, or no number yet.
func wholeCap(c *experiment.Cap, decimals int) string {
	if c == nil || c.At == "" {
		return ""
	}
	at, _ := new(big.Rat).SetString(c.At) // a file with another text was refused
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	return new(big.Rat).Mul(at, new(big.Rat).SetInt(scale)).Num().String()
}

// covariateName tells the pre-period from an attribute of that name: attributes
// have no $.
func covariateName(c string) string {
	if name, ok := strings.CutPrefix(c, "attrs."); ok || c == "" {
		return name
	}
	return "$" + c
}

func wanted(c experiment.Condition) []slowWanted {
	out := []slowWanted{}
	for name, value := range c {
		out = append(out, slowWanted{name, value})
	}
	slices.SortFunc(out, func(a, b slowWanted) int { return cmp.Compare(a.Attribute, b.Attribute) })
	return out
}
