package clickhouse_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestAnalysisOfThePlan lets the joiner count random worlds, with ties, borders,
// duplicates, crossovers and numbers out of range, and computes the planned
// definition from stored events: every cell must be the ledger's to the bit, open and
// matured.
func TestAnalysisOfThePlan(t *testing.T) {
	compared := map[experiment.Kind]int{}
	worlds := 0
	for seed := uint64(1); worlds < 1+*realms/2; seed++ {
		w := newRealm(seed, 900)
		if !hasKinds(w.version, fastKinds...) {
			continue
		}
		worlds++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newStore(t)
			first(t, s, w)
			w.count(t, s, 0)
			w.log = newRealm(seed+1000, 300).log // of other units, under the same configuration
			for i := range w.log {
				for k := range w.log[i] {
					w.log[i][k].Unit.Lo |= 1 << 40
				}
			}
			w.count(t, s, 1)
			for i := range w.version.Experiments {
				e := &w.version.Experiments[i]
				for k := range e.Iterations {
					compareWithLedger(t, s, e, &e.Iterations[k], compared)
				}
			}
		})
	}
	for _, kind := range fastKinds {
		if compared[kind] == 0 {
			t.Errorf("no world had a %s that counted: this proved less than it should", kind)
		}
	}
}

var fastKinds = []experiment.Kind{experiment.Mean, experiment.Sum, experiment.Count, experiment.Proportion, experiment.Retention, experiment.Ratio}

func hasKinds(v *experiment.Version, kinds ...experiment.Kind) bool {
	have := map[experiment.Kind]bool{}
	for i := range v.Experiments {
		for k := range v.Experiments[i].Iterations {
			for _, m := range v.Experiments[i].Iterations[k].Metrics {
				have[m.Kind] = true
			}
		}
	}
	return !slices.ContainsFunc(kinds, func(k experiment.Kind) bool { return !have[k] })
}

// count lets the joiner count the log into a shard at once.
func (w *realm) count(t *testing.T, s store, shard uint16) {
	t.Helper()
	j := ingest.NewJoiner(w.topics, w.version)
	part := ingest.Part{Shard: shard, Seq: 1, Config: w.version.Number, Partitions: 4}
	for topic, list := range w.log {
		part.Offsets = append(part.Offsets, counts(uint8(topic), 0, list, j.AddAll(list, nil)))
		for range 2 { // a place may be stored twice
			if err := s.AppendEvents(t.Context(), shard, w.topics, list, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	part.Rows = j.Take()
	mustAppendTo(t, s.DB, w.topics, part)
}

func compareWithLedger(t *testing.T, s store, e *experiment.Experiment, it *experiment.Iteration, compared map[experiment.Kind]int) {
	t.Helper()
	planned := uncapped(it)
	matured := map[string]time.Time{}
	for i := range it.Metrics {
		matured[it.Metrics[i].Name] = it.Start.Add(time.Duration(i+1) * 47 * time.Minute)
	}
	m, err := s.Moments(t.Context(), []clickhouse.MomentsSpec{{Experiment: e.Key, Iteration: it.Number, Matured: matured}})
	if err != nil {
		t.Fatal(err)
	}
	positions, err := s.Positions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var last clickhouse.AnalysisProgress
	got, _, err := s.AnalysisCells(t.Context(), clickhouse.AnalysisSpec{
		Experiment: e.AsOf(it), Iteration: planned, Matured: matured, Slice: 1000,
		Progress: func(p clickhouse.AnalysisProgress) {
			if p.Done < last.Done || p.Done > p.Total {
				t.Errorf("progress went from %+v to %+v", last, p)
			}
			last = p
		},
	}, positions)
	if err != nil {
		t.Fatal(err)
	}
	if last.Total == 0 || last.Done != last.Total {
		t.Errorf("progress ended at %+v", last)
	}
	if diff := gocmp.Diff(comparable(m.Cells, it), comparable(got, it)); diff != "" {
		t.Errorf("%s, iteration %d (-ledger +events):\n%s", e.Key, it.Number, diff)
	}
	for _, c := range got {
		if metric := it.Metric(c.Metric); metric != nil && c.Open.NonZero > 0 {
			compared[metric.Kind]++
		}
	}
}

// uncapped takes caps off that are not a number yet: in the plan they do nothing.
func uncapped(it *experiment.Iteration) *experiment.Iteration {
	out := *it
	out.Metrics = slices.Clone(it.Metrics)
	for i := range out.Metrics {
		if out.Metrics[i].CapOpen() {
			out.Metrics[i].Cap = nil
		}
	}
	return &out
}

// comparable are the cells' sums as text, those that an analysis has.
func comparable(cells []results.Cell, it *experiment.Iteration) []string {
	var out []string
	for _, c := range cells {
		units := c.Metric == ingest.Units || c.Metric == ingest.Excluded || c.Metric == ingest.CrossoverUnits
		if c.Iteration != it.Number || !units && it.Metric(c.Metric) == nil {
			continue
		}
		where := fmt.Sprintf("%s %d %v %s %s", c.Metric, c.Phase, c.Settling, c.Variant, c.Value)
		if units {
			if c.Open.N != 0 {
				out = append(out, fmt.Sprintf("%s: %d", where, c.Open.N))
			}
			continue
		}
		if c.Open.N+c.Open.Over > 0 {
			out = append(out, fmt.Sprintf("%s: open %s, matured %s", where, sumText(c.Open), sumText(c.Matured)))
		}
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

func sumText(s results.Sums) string {
	all := results.NewSums()
	all.Add(s)
	return fmt.Sprint(all.N, all.NonZero, all.Over, all.Sum, all.SumSquares, all.SumDenominator, all.SumSquaresDenominator, all.SumProduct)
}
