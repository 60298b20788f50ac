package clickhouse_test

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// slowEvent is an event of the brute force below, in whole hours and cents.
type slowEvent struct {
	unit, hour     int
	arm            string // exposures
	event          string // outcomes
	cents          int64
	plan, category string
	id             int
}

const slowHour = int64(time.Hour / time.Millisecond)

func (e slowEvent) native(at time.Time, offset int64) ingest.Event {
	out := ingest.Event{
		Type: ingest.Outcome, T: at.UnixMilli() + int64(e.hour)*slowHour, KafkaT: at.UnixMilli() + 1000*slowHour,
		Unit: ingest.Unit{Hi: uint64(e.unit) * 0x9e3779b97f4a7c15, Lo: uint64(e.unit)}, UnitKind: "user", ID: fmt.Sprint("id-", e.id),
		Name: e.event, Value: ingest.Int64(e.cents * 10_000_000_000),
		Place: ingest.Place{Topic: 1, Offset: offset},
	}
	if e.category != "" {
		out.Attrs = []ingest.Attr{{Name: "category", Value: e.category}}
	}
	if e.arm != "" {
		out.Type, out.Experiment, out.Variant, out.Name, out.Value, out.Place.Topic = ingest.Exposure, "cta", e.arm, "", ingest.Value{}, 0
		if e.plan != "" {
			out.Attrs = []ingest.Attr{{Name: "plan", Value: e.plan}}
		}
	}
	return out
}

// slowTrial runs from hour 1000 to 1200 with a second phase at 1100 that settles
// for 5 hours; an earlier iteration with the same salt began at 900.
func slowTrial(at time.Time) (*experiment.Experiment, *experiment.Iteration) {
	hour := func(h int) time.Time { return at.Add(time.Duration(h) * time.Hour) }
	window := experiment.Duration(48 * time.Hour)
	metrics := []experiment.Metric{
		{Name: "spend", Event: "buy", Kind: experiment.Mean, Value: "value", Decimals: 2, Cap: &experiment.Cap{At: "30"}},
		{Name: "orders", Event: "buy", Kind: experiment.Count, Where: experiment.Condition{"category": "a"}},
		{Name: "price", Event: "buy", Kind: experiment.Quantile, Value: "value", Decimals: 2, Quantile: 0.8},
		{Name: "tier", Event: "buy", Kind: experiment.Proportion, Covariate: "attrs.plan + pre_period"},
		{Name: "value", Kind: experiment.Ratio, // the numerator's cents of category a over all orders
			Numerator:   &experiment.Part{Event: "buy", Aggregation: experiment.AggregateSum, Value: "value", Decimals: 2, Where: experiment.Condition{"category": "a"}},
			Denominator: &experiment.Part{Event: "buy", Aggregation: experiment.AggregateCount}},
	}
	e := &experiment.Experiment{
		Key: "cta", UnitKind: "user", Control: "c", Window: window, Crossovers: experiment.Exclude, Alpha: 0.05, Covariate: experiment.PrePeriod,
		Variants: []experiment.Variant{{Key: "c", Share: 0.5}, {Key: "t", Share: 0.5}},
		Exclude:  []experiment.Condition{{"plan": "99"}},
		Iterations: []experiment.Iteration{
			{Number: 1, Start: hour(900), EnrolUntil: hour(950), End: hour(990)},
			{Number: 2, Start: hour(1000), EnrolUntil: hour(1150), End: hour(1200), Metrics: metrics, Phases: []experiment.Phase{
				{Number: 1, From: hour(1000), Shares: []float64{0.5, 0.5}},
				{Number: 2, From: hour(1100), Shares: []float64{0.5, 0.5}, Settle: experiment.Duration(5 * time.Hour)},
			}},
		},
	}
	return e, &e.Iterations[1]
}

func slowLog(rng *rand.Rand, units int) []slowEvent {
	var log []slowEvent
	for u := 1; u <= units; u++ {
		first := 995 + rng.IntN(160)
		log = append(log, slowEvent{unit: u, hour: first, arm: []string{"c", "t"}[rng.IntN(2)], plan: []string{"", "1.5", "2", "free", "99", "200000000"}[rng.IntN(6)]})
		if rng.IntN(6) == 0 { // again, perhaps in the other arm or the next phase
			log = append(log, slowEvent{unit: u, hour: first + rng.IntN(30), arm: []string{"c", "t"}[rng.IntN(2)]})
		}
		for range rng.IntN(8) {
			log = append(log, slowEvent{unit: u, hour: first - 760 + rng.IntN(840), event: []string{"buy", "buy", "sell"}[rng.IntN(3)],
				cents: rng.Int64N(2000), category: []string{"", "a", "b"}[rng.IntN(3)]})
		}
	}
	rng.Shuffle(len(log), func(i, k int) { log[i], log[k] = log[k], log[i] })
	for i := range log {
		log[i].id = i
	}
	for range len(log) / 20 { // the same event again
		log = append(log, log[rng.IntN(len(log))])
	}
	return log
}

// untilCompiled is how often a query is asked: the engine compiles an expression when it
// has met it three times, and some of wide integers were wrong from then on (26.7).
const untilCompiled = 6

// TestSlow holds the query against a recount in plain loops, also when the engine has
// compiled it.
func TestSlow(t *testing.T) {
	db := newStore(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(21, 4))
	log := slowLog(rng, 900)
	names := []string{topics()[0].Name, topics()[1].Name}
	var events []ingest.Event
	var next [2]int64
	for _, e := range log {
		topic := 1
		if e.arm != "" {
			topic = 0
		}
		events = append(events, e.native(at, next[topic]))
		next[topic]++
	}
	if err := db.AppendEvents(t.Context(), 0, names, events, nil); err != nil {
		t.Fatal(err)
	}
	// What lies above the watermark does not count.
	position := ingest.Part{Shard: 0, Seq: 1, Config: 1, Offsets: []ingest.Counts{
		{Topic: 0, Next: next[0] - 7, Accepted: uint64(next[0] - 7)}, {Topic: 1, Next: next[1] - 11, Accepted: uint64(next[1] - 11)}}}
	mustAppend(t, db.DB, position)
	positions, err := db.Positions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int64{names[0]: next[0] - 7, names[1]: next[1] - 11}; len(positions) != 1 || positions[0].Seq != 1 || gocmp.Diff(want, positions[0].Next) != "" {
		t.Fatalf("positions %+v", positions)
	}
	e, it := slowTrial(at)
	visible := below(log, next)
	cutoffs := map[string]time.Time{}
	for _, m := range it.Metrics {
		cutoffs[m.Name] = at.Add(1080*time.Hour + time.Minute)
	}
	for name, c := range map[string]struct {
		cutoffs map[string]time.Time
		before  int // an hour slot that begins at or after the cutoff is not matured
	}{"open": {nil, math.MaxInt}, "matured": {cutoffs, 1081}} {
		want := bruteSlow(visible, c.before)
		for n := range 2 * untilCompiled {
			compute := db.Slow
			if n >= untilCompiled {
				compute = db.SlowOfMany
			}
			got, err := compute(t.Context(), e, it, results.SlowMetrics(e, it, c.cutoffs), positions)
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got, compareSlow)
			if diff := gocmp.Diff(want, got, gocmp.Comparer(func(a, b *big.Int) bool { return cmp.Compare(text(a), text(b)) == 0 })); diff != "" {
				t.Errorf("%s, time %d: (-recount +query)\n%s", name, n+1, diff)
			}
		}
		// Quantiles alone, and all others alone, are what they are together.
		for _, quantiles := range []bool{true, false} {
			other := func(isOne bool) bool { return isOne != quantiles }
			asked := slices.DeleteFunc(results.SlowMetrics(e, it, c.cutoffs), func(m results.SlowMetric) bool { return other(m.Kind == experiment.Quantile) })
			got, err := db.Slow(t.Context(), e, it, asked, positions)
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got, compareSlow)
			want := slices.DeleteFunc(slices.Clone(want), func(r results.SlowRow) bool { return other(r.Quantile) })
			if diff := gocmp.Diff(want, got, gocmp.Comparer(func(a, b *big.Int) bool { return cmp.Compare(text(a), text(b)) == 0 })); diff != "" || len(want) == 0 {
				t.Errorf("%s, quantiles %v: (-recount +query)\n%s", name, quantiles, diff)
			}
		}
		if len(want) != 2*2*5 && name == "open" {
			t.Errorf("the world has %d rows", len(want))
		}
	}
	halvesAddUp(t, db, e, it, positions)
}

// halvesAddUp: the two halves of every halving are the control, a unit stands in the same
// half of every metric, and no two halvings are alike.
func halvesAddUp(t *testing.T, db store, e *experiment.Experiment, it *experiment.Iteration, positions []clickhouse.Position) {
	t.Helper()
	metrics := results.PlaceboMetrics(it)
	whole, err := db.Slow(t.Context(), e, it, metrics, positions)
	if err != nil {
		t.Fatal(err)
	}
	const splits = 5
	halves, err := db.Placebo(t.Context(), e, it, metrics, splits, positions)
	if err != nil {
		t.Fatal(err)
	}
	if len(halves) != splits*2*2*len(metrics) {
		t.Fatalf("%d rows of %d halvings, 2 phases and %d metrics", len(halves), splits, len(metrics))
	}
	units := map[string]int64{} // phase and half → units
	sizes := map[int64]bool{}
	for k := range splits {
		for _, want := range whole {
			if want.Variant != "c" {
				continue
			}
			sum := emptySlow(want.Phase, "", want.Metric, len(want.Sums))
			for _, r := range halves {
				if r.Metric != want.Metric || r.Phase != want.Phase || !strings.HasPrefix(r.Variant, fmt.Sprint(k, "/")) {
					continue
				}
				sum.N, sum.NonZero, sum.Over = sum.N+r.N, sum.NonZero+r.NonZero, sum.Over+r.Over
				for i := range r.Sums {
					sum.Sums[i].Add(sum.Sums[i], r.Sums[i])
					for j := range r.Sums {
						sum.Products[i][j].Add(sum.Products[i][j], r.Products[i][j])
					}
				}
				half := fmt.Sprint(r.Phase, " ", r.Variant)
				if n, known := units[half]; known && n != r.N {
					t.Errorf("%s has %d units of %s and %d of another metric", half, r.N, r.Metric, n)
				}
				units[half] = r.N
				sizes[r.N] = true
			}
			if sum.N != want.N || sum.NonZero != want.NonZero || text(sum.Sums[0]) != text(want.Sums[0]) || text(sum.Products[0][0]) != text(want.Products[0][0]) {
				t.Errorf("halving %d of %s in phase %d: %+v, the control has %+v", k, want.Metric, want.Phase, sum, want)
			}
		}
	}
	if len(sizes) < splits {
		t.Errorf("the halves have only %d sizes", len(sizes))
	}
}

func text(v *big.Int) string {
	if v == nil {
		return "0"
	}
	return v.String()
}

func compareSlow(a, b results.SlowRow) int {
	return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Variant, b.Variant))
}

// below drops what lies above the watermark, and duplicates.
func below(log []slowEvent, next [2]int64) (out []slowEvent) {
	limit := [2]int64{next[0] - 7, next[1] - 11}
	seen := map[int]bool{}
	var at [2]int64
	for _, e := range log {
		topic := 1
		if e.arm != "" {
			topic = 0
		}
		at[topic]++
		if at[topic] <= limit[topic] && !seen[e.id] {
			seen[e.id] = true
			out = append(out, e)
		}
	}
	return out
}

type slowUnit struct {
	first   slowEvent
	phase   uint16
	exposed []slowEvent
	did     []slowEvent
}

// bruteSlow recounts: phase 1 is hours 1000 to 1099, phase 2 from 1105 to 1149.
func bruteSlow(log []slowEvent, before int) []results.SlowRow {
	units := map[int]*slowUnit{}
	for _, e := range log {
		u := units[e.unit]
		if u == nil {
			u = &slowUnit{}
			units[e.unit] = u
		}
		if e.arm == "" {
			u.did = append(u.did, e)
		} else if e.hour >= 1000 && e.hour < 1200 {
			u.exposed = append(u.exposed, e)
		}
	}
	rows := map[string]*results.SlowRow{}
	quantiles := map[string][][]int64{} // cell → events by unit
	for _, u := range units {
		if !u.place() || u.first.hour >= before {
			continue
		}
		var cents, orders, any, preCents, preOrders int64
		var all, preAll, centsA, preCentsA int64
		var prices []int64
		var ordered, bought [2]int64 // by day since the first exposure
		for _, d := range u.did {
			if d.event != "buy" {
				continue
			}
			if d.hour >= 1000 && d.hour < 1200 && d.hour >= u.first.hour && d.hour <= u.first.hour+48 {
				cents, any, prices = cents+d.cents, 1, append(prices, d.cents)
				all++
				if d.category == "a" {
					orders++
					centsA += d.cents
				}
			}
			if day := d.hour - u.first.hour; day >= 0 && day < 48 {
				bought[day/24] = 1
				if d.category == "a" {
					ordered[day/24]++
				}
			}
			if d.hour >= u.first.hour-720 && d.hour < 900 {
				preCents += d.cents
				preAll++
				if d.category == "a" {
					preOrders++
					preCentsA += d.cents
				}
			}
		}
		plan, known := map[string]int64{"1.5": 1_500_000, "2": 2_000_000}[u.first.plan]
		missing := map[bool]int64{false: 1}[known]
		addSlow(rows, u, "value", centsA, all, preCentsA, preAll)
		addSlow(rows, u, "spend", min(cents, 3000), min(preCents, 3000)) // capped: no trend
		addSlow(rows, u, "orders", orders, preOrders).Trend.Add(ordered[:]...)
		addSlow(rows, u, "tier", any, plan, missing, min(preAll, 1)).Trend.Add(bought[:]...)
		cell := fmt.Sprint(u.phase, u.first.arm)
		quantiles[cell] = append(quantiles[cell], prices)
	}
	var out []results.SlowRow
	for _, r := range rows {
		out = append(out, *r)
	}
	for cell, events := range quantiles {
		out = append(out, bruteQuantile(uint16(cell[0]-'0'), cell[1:], events))
	}
	slices.SortFunc(out, compareSlow)
	return out
}

// place finds the first exposure and tells whether the unit takes part.
func (u *slowUnit) place() bool {
	phase := func(hour int) uint16 {
		if hour < 1100 {
			return 1
		}
		return 2
	}
	for i, x := range u.exposed {
		if x.hour < 1150 && (i == 0 || u.first.arm == "" || x.hour < u.first.hour || x.hour == u.first.hour && x.arm < u.first.arm) {
			u.first = x
		}
	}
	if u.first.arm == "" || u.first.plan == "99" || u.first.hour >= 1100 && u.first.hour < 1105 {
		return false
	}
	u.phase = phase(u.first.hour)
	return !slices.ContainsFunc(u.exposed, func(x slowEvent) bool { return x.arm != u.first.arm && phase(x.hour) == u.phase })
}

func addSlow(rows map[string]*results.SlowRow, u *slowUnit, metric string, numbers ...int64) *results.SlowRow {
	key := fmt.Sprint(metric, u.phase, u.first.arm)
	r := rows[key]
	if r == nil {
		r = emptySlow(u.phase, u.first.arm, metric, len(numbers))
		rows[key] = r
	}
	r.N++
	if numbers[0] != 0 {
		r.NonZero++
	}
	addPair(r, numbers...)
	return r
}

func emptySlow(phase uint16, arm, metric string, columns int) *results.SlowRow {
	r := &results.SlowRow{Phase: phase, Variant: arm, Metric: metric}
	for range columns {
		r.Sums = append(r.Sums, new(big.Int))
		products := make([]*big.Int, columns)
		for k := range products {
			products[k] = new(big.Int)
		}
		r.Products = append(r.Products, products)
	}
	return r
}

func addPair(r *results.SlowRow, pair ...int64) {
	for i := range pair {
		r.Sums[i].Add(r.Sums[i], big.NewInt(pair[i]))
		for k := range pair {
			r.Products[i][k].Add(r.Products[i][k], big.NewInt(pair[i]*pair[k]))
		}
	}
}

// bruteQuantile is the 0.8 quantile of a cell's events, by units.
func bruteQuantile(phase uint16, arm string, events [][]int64) results.SlowRow {
	r := emptySlow(phase, arm, "price", 2)
	r.Quantile = true
	all := slices.Sorted(slices.Values(slices.Concat(events...)))
	n := float64(len(all))
	half := 1.959963984540054 * math.Sqrt(n*0.8*0.2)
	at := func(rank float64) int64 { return all[int(min(max(rank, 1), n))-1] }
	point := at(math.Ceil(n * 0.8))
	r.Low, r.Point, r.High = big.NewInt(at(math.Floor(n*0.8-half))), big.NewInt(point), big.NewInt(at(math.Ceil(n*0.8+half)))
	r.Events = int64(len(all))
	for _, unit := range events {
		r.N++
		if len(unit) > 0 {
			r.NonZero++
		}
		below := int64(0)
		for _, x := range unit {
			if x <= point {
				below++
			}
		}
		addPair(r, below, int64(len(unit)))
	}
	return *r
}

// TestCap: the percentile is that of all units' totals that are not zero, in the
// closed stretch and below the watermark.
func TestCap(t *testing.T) {
	db := newStore(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	log := slowLog(rand.New(rand.NewPCG(5, 6)), 300)
	names := []string{topics()[0].Name, topics()[1].Name}
	var events []ingest.Event
	var next [2]int64
	for _, e := range log {
		topic := min(1, len(e.event))
		events = append(events, e.native(at, next[topic]))
		next[topic]++
	}
	if err := db.AppendEvents(t.Context(), 0, names, events, nil); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, db.DB, ingest.Part{Shard: 0, Seq: 1, Config: 1, Offsets: []ingest.Counts{
		{Topic: 0, Next: next[0] - 7, Accepted: uint64(next[0] - 7)}, {Topic: 1, Next: next[1] - 11, Accepted: uint64(next[1] - 11)}}})
	positions, err := db.Positions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	totals := map[int]int64{}
	for _, e := range below(log, next) {
		if e.event == "buy" && e.category == "a" && e.hour >= 300 && e.hour < 900 {
			totals[e.unit] += e.cents
		}
	}
	var sorted []int64
	for _, y := range totals {
		if y != 0 {
			sorted = append(sorted, y)
		}
	}
	slices.Sort(sorted)
	m := &experiment.Metric{Name: "spend", Event: "buy", Kind: experiment.Mean, Value: "value", Decimals: 2,
		Where: experiment.Condition{"category": "a"}, Cap: &experiment.Cap{Percentile: 90}}
	for n := range untilCompiled {
		got, err := db.Cap(t.Context(), m, at.Add(300*time.Hour), at.Add(900*time.Hour), positions)
		if err != nil {
			t.Fatal(err)
		}
		if want := sorted[(len(sorted)*90+99)/100-1]; got.Units != int64(len(sorted)) || got.Value.Int64() != want {
			t.Errorf("time %d: %d units, %v; want %d, %d", n+1, got.Units, got.Value, len(sorted), want)
		}
	}
	if none, err := db.Cap(t.Context(), m, at, at.Add(time.Hour), positions); err != nil || none.Units != 0 {
		t.Errorf("without events: %+v, %v", none, err)
	}
}
