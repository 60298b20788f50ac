package clickhouse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Position is where a shard stands.
type Position struct {
	Shard uint16
	Seq   uint64
	Next  map[string]int64 // topic → next offset
}

// Positions says where every shard stands.
func (db *DB) Positions(ctx context.Context) ([]Position, error) {
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
	run, err := json.Marshal(slowRunOf(e, it, metrics))
	if err != nil {
		return nil, fmt.Errorf("encode what to compute: %w", err)
	}
	places, next := placesOf(at)
	params := args{"run": string(run), "places": places, "next": next, "z": results.QuantileZ}
	return collect(ctx, db, "slow", params, scanSlow)
}

func scanSlow(rows native.Rows, r *results.SlowRow) error {
	var kind string
	var numbers [8]string // low, point, high, Σ0, Σ1, Σ00, Σ11, Σ01
	var n, units int64
	if err := rows.Scan(&kind, &r.Phase, &r.Variant, &r.Metric, &n, &r.NonZero, &r.Over, &numbers[0], &numbers[1], &numbers[2],
		&numbers[3], &numbers[4], &numbers[5], &numbers[6], &numbers[7], &units); err != nil {
		return err
	}
	var values [8]*big.Int
	for i, text := range numbers {
		v, ok := new(big.Int).SetString(cmp.Or(text, "0"), 10)
		if !ok {
			return fmt.Errorf("%q is not a whole number", text)
		}
		values[i] = v
	}
	r.N = n
	if r.Quantile = kind == "quantile"; r.Quantile {
		r.N, r.Events = units, n
		r.Low, r.Point, r.High = values[0], values[1], values[2]
	} else {
		r.Trend = results.TrendSums{N: units, Sum: values[0], Squares: values[1]}
	}
	r.Sums = [2]*big.Int{values[3], values[4]}
	r.Products = [2][2]*big.Int{{values[5], values[7]}, {values[7], values[6]}}
	return nil
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
	Exclusions [][]slowWanted   `json:"exclusions"`
	Phases     []slowPhase      `json:"phases"`
	PreStop    int64            `json:"pre_stop"`
	PreLength  int64            `json:"pre_length"`
	Metrics    []slowMetricText `json:"metrics"`
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
	Name       string       `json:"name"`
	Event      string       `json:"event"`
	Kind       string       `json:"kind"`
	Attribute  string       `json:"attribute"`
	Decimals   int          `json:"decimals"`
	From       int64        `json:"from"`
	Upto       int64        `json:"upto"`
	Conditions []slowWanted `json:"conditions"`
	Cap        string       `json:"cap"` // in whole 10^-decimals; empty: none
	Covariate  string       `json:"covariate"`
	XDecimals  int          `json:"x_decimals"`
	Quantile   float64      `json:"quantile"`
	Before     int64        `json:"before"`
	Days       int          `json:"days"`
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
		PreStop: first.UnixMilli(), PreLength: prePeriod.Milliseconds(),
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
		r.Metrics = append(r.Metrics, slowMetricOf(e, m))
	}
	return r
}

func slowMetricOf(e *experiment.Experiment, m results.SlowMetric) slowMetricText {
	window := e.WindowOf(m.Metric)
	out := slowMetricText{
		Name: m.Name, Event: m.Event, Kind: string(m.Kind), Attribute: m.AttributeOf(), Decimals: m.Decimals,
		From: m.From.Milliseconds(), Upto: window.Milliseconds(), Conditions: wanted(m.Where),
		Covariate: covariateName(m.Covariate), XDecimals: m.XDecimals(), Quantile: m.Quantile,
		Before: 1<<63 - 1, Days: m.Days,
	}
	if m.Kind == experiment.Retention {
		out.Upto = m.To.Milliseconds()
	}
	if m.Cap != nil && m.Cap.At != "" {
		at, _ := new(big.Rat).SetString(m.Cap.At) // a file with another text was refused
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(m.Decimals)), nil)
		out.Cap = new(big.Rat).Mul(at, new(big.Rat).SetInt(scale)).Num().String()
	}
	if !m.Before.IsZero() {
		// Slots that start before the time have matured: their units are those first
		// exposed before the first slot that does not.
		slot := experiment.SlotOf(window).Milliseconds()
		out.Before = (m.Before.UnixMilli() + slot - 1) / slot * slot
	}
	return out
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
