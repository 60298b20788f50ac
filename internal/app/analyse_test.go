package app

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

const spending = `
key: cta
owner: growth
variants: {control: 50%, treatment: 50%}
control: control
window: 2d
goals: [spend, buyers]
iterations: [{start: 2026-01-01T00:00:00Z, enrol_until: 2026-01-11T00:00:00Z, end: 2026-01-21T00:00:00Z}]
`

// analysed is a world of 60 units, each first exposed in an hour of its own, with three
// purchases of known amounts an hour, three days and six days later.
type analysed struct {
	*Stack
	version *experiment.Version
	e       *experiment.Experiment
	now     time.Time
	units   []spender
}

type spender struct {
	variant, country string
	first            time.Time
	cents            [3]int64
}

// laters are when a unit buys after its first exposure.
var laters = [3]time.Duration{time.Hour, 72 * time.Hour, 144 * time.Hour}

func newAnalysed(t *testing.T) *analysed {
	t.Helper()
	set, problems := experiment.Parse([]experiment.File{
		{Name: "cta.yaml", Data: []byte(spending)},
		{Name: "spend.yaml", Data: []byte("name: spend\nowner: growth\nevent: buy\nkind: mean\ndirection: increase\ndecimals: 2\n")},
		{Name: "buyers.yaml", Data: []byte("name: buyers\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")},
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	w := &analysed{Stack: newStack(t), now: time.Date(2026, 1, 9, 0, 0, 0, 0, time.UTC)}
	if _, err := w.Apply(t.Context(), set, "somebody", func() time.Time { return w.now }); err != nil {
		t.Fatal(err)
	}
	v, err := w.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.version, w.e = &v, v.Find("cta")
	w.ingest(t)
	return w
}

// ingest counts the world as a consumer does, duplicates included.
func (w *analysed) ingest(t *testing.T) {
	t.Helper()
	topics := []string{"exposures", "outcomes"}
	j := ingest.NewJoiner(topics, w.version)
	var events []ingest.Event
	var next [2]int64
	add := func(e ingest.Event) {
		e.UnitKind, e.KafkaT = "user", w.now.UnixMilli()
		e.Place = ingest.Place{Topic: e.Place.Topic, Offset: next[e.Place.Topic]}
		next[e.Place.Topic]++
		events = append(events, e)
	}
	for i := range 60 {
		u := spender{variant: []string{"control", "treatment"}[i%2], country: []string{"DE", "FR", "it's \" {x:y}"}[i%3],
			first: w.e.Iterations[0].Start.Add(time.Duration(i) * time.Hour)}
		unit := ingest.Unit{Hi: uint64(i+1) * 0x9e3779b97f4a7c15, Lo: uint64(i + 1)}
		exposure := ingest.Event{Type: ingest.Exposure, Unit: unit, ID: fmt.Sprint("x", i), T: u.first.UnixMilli(), Experiment: "cta", Variant: u.variant,
			Attrs: []ingest.Attr{{Name: "country", Value: u.country}}}
		add(exposure)
		for k, later := range laters {
			u.cents[k] = int64(100*(i%7) + 10*k + i)
			value, err := ingest.ParseValue(fmt.Sprintf("%d.%02d", u.cents[k]/100, u.cents[k]%100))
			if err != nil {
				t.Fatal(err)
			}
			buy := ingest.Event{Type: ingest.Outcome, Unit: unit, ID: fmt.Sprint("o", i, "-", k), T: u.first.Add(later).UnixMilli(), Name: "buy", Value: value}
			buy.Place.Topic = 1
			add(buy)
			if i%5 == 0 {
				add(buy) // sent again
			}
		}
		w.units = append(w.units, u)
	}
	if err := w.DB.AppendEvents(t.Context(), 0, topics, events, nil); err != nil {
		t.Fatal(err)
	}
	part := ingest.Part{Shard: 0, Seq: 1, Config: w.version.Number, Partitions: 1, Offsets: []ingest.Counts{{Topic: 0, Next: next[0]}, {Topic: 1, Next: next[1]}}}
	for i, fate := range j.AddAll(events, nil) {
		of := &part.Offsets[events[i].Place.Topic]
		if fate == ingest.Duplicate {
			of.Duplicate++
		} else {
			of.Accepted++
		}
	}
	part.Rows = j.Take()
	named := []clickhouse.Topic{{Name: "exposures"}, {Name: "outcomes"}}
	if a, err := w.DB.AppendPart(t.Context(), named, part); err != nil || a != clickhouse.Committed {
		t.Fatal(a, err)
	}
	status := results.ShardStatus{Seq: 1, Freshness: w.now, Config: w.version.Number, State: "ok", At: time.Now()} // a word of long ago is dropped
	if err := w.DB.WriteStatus(t.Context(), []results.ShardStatus{status}); err != nil {
		t.Fatal(err)
	}
}

func (w *analysed) analyse(t *testing.T, name string, d results.AnalysisDefinition) *results.Analysis {
	t.Helper()
	a, err := w.Analyse(t.Context(), w.version, AnalysisRequest{Experiment: "cta", Name: name, Author: "ann", Definition: d}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// mean is by hand: of the units that pass, of what they spent within the window and
// of which the slot has matured by the ninth day.
func (w *analysed) mean(variant string, window, slot time.Duration, limit float64, pass func(spender) bool) (n int64, mean float64) {
	cutoff := w.now.Add(-time.Minute - window - slot)
	var sum float64
	for _, u := range w.units {
		if u.variant != variant || !pass(u) || u.first.Truncate(slot).After(cutoff) {
			continue
		}
		var cents float64
		for k, later := range laters {
			if later <= window {
				cents += float64(u.cents[k])
			}
		}
		n++
		sum += min(cents, limit)
	}
	return n, sum / float64(n) / 100
}

func everyone(spender) bool { return true }

// TestAnalysisOfThePlannedDefinition: what is computed from stored events under the
// planned definition is what the look has, to the bit; and the look stays.
func TestAnalysisOfThePlannedDefinition(t *testing.T) {
	w := newAnalysed(t)
	look, err := w.Look(t.Context(), w.version, w.e, 0, w.now)
	if err != nil {
		t.Fatal(err)
	}
	a := w.analyse(t, "", results.AnalysisDefinition{})
	if len(look.Comparisons) != 2 || look.Comparisons[0].Matured.Treatment.Units == 0 {
		t.Fatalf("the look says nothing: %+v", look.Comparisons)
	}
	if diff := cmp.Diff(look.Comparisons, a.Document.Comparisons, cmp.Comparer(sameNumber)); diff != "" {
		t.Errorf("comparisons (-look +analysis):\n%s", diff)
	}
	metrics := func(cells []results.CellSums) []results.CellSums {
		return slices.DeleteFunc(slices.Clone(cells), func(c results.CellSums) bool { return strings.HasPrefix(c.Metric, "$") })
	}
	if diff := cmp.Diff(metrics(look.Cells), metrics(a.Document.Cells)); diff != "" {
		t.Errorf("cells (-look +analysis):\n%s", diff)
	}
	if diff := cmp.Diff(look.Phases[0].SRM, a.Document.Phases[0].SRM, cmp.Comparer(sameNumber)); diff != "" {
		t.Errorf("the split (-look +analysis):\n%s", diff)
	}
	latest, err := w.DB.LatestLook(t.Context(), "cta", clickhouse.FullLook)
	if err != nil || latest.ID == a.ID || !a.Exploratory || a.Document.Exploratory == "" {
		t.Errorf("the newest look is %s, the analysis %s, %v; exploratory: %q", latest.ID, a.ID, err, a.Document.Exploratory)
	}
}

func sameNumber(a, b results.Number) bool {
	return math.Float64bits(float64(a)) == math.Float64bits(float64(b)) || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
}

// TestAnalysesOfOtherDefinitions holds window, caps and cohorts against sums by hand.
func TestAnalysesOfOtherDefinitions(t *testing.T) {
	w := newAnalysed(t)
	day := 24 * time.Hour
	german := func(u spender) bool { return u.country == "DE" }
	odd := func(u spender) bool { return u.country == w.units[2].country }
	from, until := w.units[10].first, w.units[40].first
	early := func(u spender) bool { return !u.first.Before(from) && u.first.Before(until) }
	injected := func(u spender) bool { return u.country == "x' OR 1 = 1 --" }
	for name, c := range map[string]struct {
		d            results.AnalysisDefinition
		window, slot time.Duration
		limit        float64
		pass         func(spender) bool
	}{
		"longer window":  {results.AnalysisDefinition{Window: experiment.Duration(4 * day)}, 4 * day, day, math.Inf(1), everyone},
		"shorter window": {results.AnalysisDefinition{Window: experiment.Duration(time.Hour)}, time.Hour, time.Minute, math.Inf(1), everyone},
		"fixed cap":      {results.AnalysisDefinition{Cap: &experiment.Cap{At: "3.5"}}, 2 * day, time.Hour, 350, everyone},
		"country":        {results.AnalysisDefinition{Where: experiment.Condition{"country": "DE"}}, 2 * day, time.Hour, math.Inf(1), german},
		"odd value":      {results.AnalysisDefinition{Where: experiment.Condition{"country": w.units[2].country}}, 2 * day, time.Hour, math.Inf(1), odd},
		"first exposed":  {results.AnalysisDefinition{From: from, Until: until}, 2 * day, time.Hour, math.Inf(1), early},
		"injection":      {results.AnalysisDefinition{Where: experiment.Condition{"country": "x' OR 1 = 1 --"}}, 2 * day, time.Hour, math.Inf(1), injected},
		"injection by name": {results.AnalysisDefinition{Where: experiment.Condition{"x'] = '' OR ''='": "{run:String}"}}, 2 * day, time.Hour, math.Inf(1),
			func(spender) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.analyse(t, name, c.d)
			i := slices.IndexFunc(a.Document.Comparisons, func(c results.Comparison) bool { return c.Metric == "spend" })
			got := a.Document.Comparisons[i].Matured
			for variant, arm := range map[string]results.Arm{"control": got.Control, "treatment": got.Treatment} {
				n, mean := w.mean(variant, c.window, c.slot, c.limit, c.pass)
				if arm.Units != n || n > 1 && math.Abs(float64(arm.Mean)-mean) > 1e-12*math.Abs(mean) {
					t.Errorf("%s: %d units, mean %v; by hand %d, %v", variant, arm.Units, arm.Mean, n, mean)
				}
			}
		})
	}
}

// TestAnalysisOfAPercentileCap: the cap is the percentile of the totals of the units
// whose windows have passed, and no interval for every look is claimed.
func TestAnalysisOfAPercentileCap(t *testing.T) {
	w := newAnalysed(t)
	a := w.analyse(t, "capped", results.AnalysisDefinition{Cap: &experiment.Cap{Percentile: 90}, Only: []string{"spend"}})
	var totals []float64
	for _, u := range w.units {
		if u.cents[0] != 0 {
			totals = append(totals, float64(u.cents[0]))
		}
	}
	slices.Sort(totals)
	limit := totals[int(math.Ceil(.9*float64(len(totals))))-1]
	if want := fmt.Sprint(limit / 100); a.Caps["spend"] != want {
		t.Errorf("the cap became %s, want %s", a.Caps["spend"], want)
	}
	c := a.Document.Comparisons[0]
	n, mean := w.mean("treatment", 48*time.Hour, time.Hour, limit, everyone)
	if c.Matured.Treatment.Units != n || math.Abs(float64(c.Matured.Treatment.Mean)-mean) > 1e-12 {
		t.Errorf("%d units, mean %v; by hand %d, %v", c.Matured.Treatment.Units, c.Matured.Treatment.Mean, n, mean)
	}
	if c.Matured.Absolute.SequentialP.Known() || !c.Matured.Absolute.FixedP.Known() {
		t.Errorf("p for every look %v, for one %v", c.Matured.Absolute.SequentialP, c.Matured.Absolute.FixedP)
	}
	if !slices.ContainsFunc(a.Warnings, func(d results.Doubt) bool { return d.Code == results.CapFromData }) {
		t.Errorf("warnings %+v", a.Warnings)
	}
	if got := a.Document.Phases[0].Arms[0].Units; got != 30 {
		t.Errorf("%d units in the control, want 30", got)
	}
}

// TestAnalysisAgain: the server compiles what it is asked often, which must not show.
func TestAnalysisAgain(t *testing.T) {
	w := newAnalysed(t)
	d := results.AnalysisDefinition{Cap: &experiment.Cap{Percentile: 90}, Only: []string{"spend"}}
	first := w.analyse(t, "", d)
	for range 4 {
		if diff := cmp.Diff(first.Document.Cells, w.analyse(t, "", d).Document.Cells); diff != "" {
			t.Fatalf("(-first +later):\n%s", diff)
		}
	}
}

// TestAnalysisOfAQuantile goes by the cohort, too.
func TestAnalysisOfAQuantile(t *testing.T) {
	w := newAnalysed(t)
	median := experiment.Metric{Name: "price", Event: "buy", Kind: experiment.Quantile, Value: "value", Decimals: 2, Quantile: .5, Direction: experiment.Increase}
	a := w.analyse(t, "median", results.AnalysisDefinition{Metrics: []experiment.Metric{median}, Where: experiment.Condition{"country": "FR"}})
	var prices []float64
	for _, u := range w.units {
		if u.country == "FR" && u.variant == "treatment" {
			prices = append(prices, float64(u.cents[0])/100)
		}
	}
	slices.Sort(prices)
	want := prices[int(math.Ceil(float64(len(prices))/2))-1]
	if s := a.Document.Slow; s == nil || len(s.Comparisons) != 1 || float64(s.Comparisons[0].Estimate.Treatment.Mean) != want {
		t.Errorf("the median is %+v, by hand %v", s, want)
	}
}

// TestAnalysesAreKept: each is listed under its own id, a name keeps its definition,
// and how many there were is on each.
func TestAnalysesAreKept(t *testing.T) {
	w := newAnalysed(t)
	long := results.AnalysisDefinition{Window: experiment.Duration(96 * time.Hour)}
	first := w.analyse(t, "long", long)
	w.now = w.now.Add(time.Second)
	w.analyse(t, "", results.AnalysisDefinition{Where: experiment.Condition{"country": "DE"}})
	w.now = w.now.Add(time.Second)
	again := w.analyse(t, "long", long)
	if first.Number != 1 || again.Number != 2 || again.Level != 0.025 || first.ID == again.ID {
		t.Errorf("numbers %d and %d, level %v, ids %s and %s", first.Number, again.Number, again.Level, first.ID, again.ID)
	}
	all, err := w.Analyses(t.Context(), "cta", 0)
	if err != nil || len(all) != 3 || all[0].ID != first.ID || all[1].Name != "" || all[2].Author != "ann" {
		t.Fatalf("%d analyses, %v", len(all), err)
	}
	got, err := w.Analysis(t.Context(), "cta", "long")
	if err != nil || got.ID != again.ID || got.Code != "test" || got.Vector[0] != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := w.Analysis(t.Context(), "cta", first.ID); err != nil || got.ID != first.ID || got.Number != 1 {
		t.Errorf("by id: %v", err)
	}
	_, err = w.Analyse(t.Context(), w.version, AnalysisRequest{Experiment: "cta", Name: "long", Definition: results.AnalysisDefinition{}}, w.now)
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a name was taken for another definition: %v", err)
	}
	if looks, err := w.DB.Looks(t.Context(), clickhouse.LookFilter{Experiment: "cta"}); err != nil || len(looks) != 0 {
		t.Errorf("%d planned looks, %v", len(looks), err)
	}
}
