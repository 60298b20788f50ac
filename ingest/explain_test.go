package ingest_test

import (
	"cmp"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

func explained() *experiment.Version {
	minute := experiment.Duration(time.Minute)
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{{
		Key: "e", UnitKind: "user", Variants: []experiment.Variant{{Key: "a"}, {Key: "b"}}, Window: 60 * minute, Grace: minute,
		Iterations: []experiment.Iteration{{
			Number: 1, Start: ms(origin), EnrolUntil: ms(origin + 6_000_000), End: ms(origin + 7_200_000), Killed: &experiment.Killed{},
			Phases: []experiment.Phase{{Number: 1, From: ms(origin)}, {Number: 2, From: ms(origin + 3_600_000), Settle: 10 * minute}},
			Metrics: []experiment.Metric{
				{Name: "revenue", Event: "buy", Kind: experiment.Mean, Decimals: 2},
				{Name: "fees", Event: "buy", Kind: experiment.Sum, Value: "attrs.fee", Window: minute},
				{Name: "web_buyers", Event: "buy", Kind: experiment.Proportion, Where: map[string]string{"platform": "web"}},
			},
		}},
	}}}
}

func TestExplain(t *testing.T) {
	unit := ingest.Unit{Hi: 1}
	event := func(offset, minute int64, change func(*ingest.Event)) ingest.Event {
		e := ingest.Event{Place: ingest.Place{Offset: offset}, Type: ingest.Exposure, T: origin + minute*60_000, Unit: unit, UnitKind: "user", Experiment: "e", Variant: "b"}
		change(&e)
		return e
	}
	variant := func(v string) func(*ingest.Event) { return func(e *ingest.Event) { e.Variant = v } }
	buy := func(value string, attrs ...ingest.Attr) func(*ingest.Event) {
		return func(e *ingest.Event) {
			e.Type, e.Experiment, e.Variant, e.Name, e.Value, e.Attrs = ingest.Outcome, "", "", "buy", mustValue(value), attrs
		}
	}
	twice := func(e *ingest.Event) { e.ID = "x" }
	events := []ingest.Event{
		event(0, -5, variant("a")), event(1, 10, twice), event(2, 10, twice), event(3, 12, variant("z")), event(4, 70, variant("a")),
		event(5, 130, variant("a")), event(6, 20, func(e *ingest.Event) { e.Experiment = "other" }),
		event(7, 15, func(e *ingest.Event) { e.Misplaced = true }),
		event(8, 9, buy("1.005")), event(9, 8, buy("1")), event(10, 11, buy("2.5", ingest.Attr{Name: "fee", Value: "0.5"}, ingest.Attr{Name: "platform", Value: "web"})),
		event(11, 10, buy("999999999999999", ingest.Attr{Name: "fee", Value: "free"})), event(12, 71, buy("3")), event(13, 150, buy("3")),
		event(13, 150, buy("3")), event(14, 16, func(e *ingest.Event) { buy("1")(e); e.Name = "view" }),
	}
	type line struct {
		Minute  int64
		Finding ingest.Finding
		Metrics []string
		Reason  string
	}
	want := []line{
		{-5, ingest.FoundOutside, nil, "no iteration covers its time"},
		{8, ingest.FoundNotCounted, nil, "revenue: 2m0s before the first exposure; fees: 2m0s before the first exposure; web_buyers: 2m0s before the first exposure"},
		{9, ingest.FoundCounted, []string{"revenue"}, `revenue: counts as 1.00; fees: its attribute "fee" holds no number; web_buyers: its attributes do not meet "where"`},
		{10, ingest.FoundFirst, nil, "first exposure: the unit is in b, phase 1"},
		{10, ingest.FoundDuplicate, nil, "a record with the same topic, type, unit, id and time stands earlier in the log"},
		{10, ingest.FoundNotCounted, nil, `revenue: its value is out of the metric's range; fees: its attribute "fee" holds no number; web_buyers: its attributes do not meet "where"`},
		{11, ingest.FoundCounted, []string{"fees", "revenue", "web_buyers"}, "revenue: counts as 2.50; fees: counts as 0; web_buyers: counts"},
		{12, ingest.FoundUnknown, nil, "the experiment has no such variant"},
		{15, ingest.FoundMisplaced, nil, "it lies in another partition than the unit's: it is stored and takes no part"},
		{16, ingest.FoundOther, nil, "no metric of the iteration counts this event"},
		{20, ingest.FoundOther, nil, "it is an exposure of another experiment"},
		{70, ingest.FoundMoved, nil, "another variant in a later phase: the unit stays in b"},
		{71, ingest.FoundNotCounted, nil, `revenue: 1h1m0s after the first exposure, beyond the window; fees: 1h1m0s after the first exposure, beyond the window; web_buyers: 1h1m0s after the first exposure, beyond the window`},
		{130, ingest.FoundAfterEnd, nil, "the iteration had been ended by its kill switch"},
		{150, ingest.FoundOutside, nil, "no iteration covers its time"},
	}
	var got []line
	for _, s := range ingest.Explain(events, explained(), "e") {
		got = append(got, line{(s.Event.T - origin) / 60_000, s.Finding, s.Metrics, s.Reason})
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, s := range ingest.Explain(events, explained(), "none") {
		if s.Finding == "" || s.Reason == "" {
			t.Errorf("no finding: %+v", s)
		}
	}
	if ingest.Explain(nil, explained(), "e") != nil {
		t.Error("steps without events")
	}
}

// TestExplainAgrees holds the explanation of every unit against the sums that
// brute force finds: as many of each finding as are counted.
func TestExplainAgrees(t *testing.T) {
	counters := map[ingest.Finding]string{
		ingest.FoundFirst: ingest.Units, ingest.FoundMoved: ingest.Moved, ingest.FoundOutside: ingest.Outside, ingest.FoundAfterEnd: ingest.AfterEnd,
		ingest.FoundUnknown: ingest.UnknownVariant, ingest.FoundExcluded: ingest.Excluded, ingest.FoundOtherKind: ingest.OtherUnitKind,
		ingest.FoundLeftOut: ingest.Sample,
	}
	rapid.Check(t, func(t *rapid.T) {
		v := drawVersion(t, 1)
		for i := range v.Experiments {
			for k := range v.Experiments[i].Iterations {
				for n := range v.Experiments[i].Iterations[k].Metrics {
					m := &v.Experiments[i].Iterations[k].Metrics[n]
					m.Kind, m.Cap, m.Event = experiment.Count, nil, cmp.Or(m.Event, "buy")
				}
			}
		}
		events := drawLog(t, 1, v)[0]
		want, got := map[string]int64{}, map[string]int64{}
		for c, s := range brute(events, v) {
			if c.Experiment != "e1" || c.Dimension != "" || c.Metric == ingest.CrossoverUnits || c.Metric == ingest.Assignment || c.Metric == ingest.Consent || c.Metric == ingest.Sample && c.Value != ingest.LeftOut {
				continue
			}
			if want[c.Metric] += s.n; c.Metric[0] == 'm' {
				want[c.Metric] += s.sum.Int64() - s.n
			}
		}
		byUnit := map[ingest.Unit][]ingest.Event{}
		for _, e := range events {
			byUnit[e.Unit] = append(byUnit[e.Unit], e)
		}
		for _, list := range byUnit {
			for _, s := range ingest.Explain(list, v, "e1") {
				if metric := counters[s.Finding]; metric != "" && s.Event.Type == ingest.Exposure {
					got[metric]++
				}
				for _, m := range s.Metrics {
					got[m]++
				}
			}
		}
		for metric := range want {
			if got[metric] == 0 {
				delete(got, metric)
			}
			if want[metric] == 0 {
				delete(want, metric)
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("(-brute +explained):\n%s", diff)
		}
	})
}
