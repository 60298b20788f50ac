package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
)

// shown is a catalog of the world, at its time.
func (w *lookWorld) catalog() *Catalog {
	c := w.NewCatalog()
	c.now = func() time.Time { return w.now }
	return c
}

func (w *lookWorld) row(c *Catalog) catalog.Row {
	w.t.Helper()
	if err := c.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	rows, err := c.Rows(w.t.Context())
	if err != nil || len(rows) != 1 {
		w.t.Fatal(rows, err)
	}
	return rows[0]
}

// guardLook stores what a guard says of the ledger.
func (w *lookWorld) guardLook(verdict string) *results.Document {
	w.t.Helper()
	d := *w.look(0)
	d.At, d.Verdicts = w.now, []results.Verdict{{Metric: "errors", Arm: "treatment", Verdict: verdict, Text: "said the guard"}}
	guard := d.Guard()
	guard.Slow, guard.Placebo, guard.Gaps = nil, nil, nil
	l := clickhouse.Look{Experiment: "cta", Iteration: d.Iteration, Kind: clickhouse.GuardLook, At: w.now, Version: d.Version, Vector: d.Vector, Verdict: verdict}
	if err := w.storeOwn(w.t.Context(), &l, guard); err != nil {
		w.t.Fatal(err)
	}
	return &guard
}

// TestCatalogFollows: a list shows new looks, decisions and versions as they come, reads
// no look twice, and never goes back to an older one.
func TestCatalogFollows(t *testing.T) {
	w := newLookWorld(t)
	c := w.catalog()
	if r := w.row(c); r.Key != "cta" || r.Owner != "growth" || r.State != catalog.Running || r.Health != catalog.Unlooked || r.Look != "" {
		t.Errorf("before the first look: %+v", r)
	}
	first := w.look(0)
	r := w.row(c)
	if r.Units != 190 || r.Look == "" || !r.At.Equal(first.At) || r.Version != 1 {
		t.Errorf("after the first look: %+v", r)
	}
	w.now = w.now.Add(2 * time.Second)
	w.guardLook("breached")
	if r := w.row(c); r.Health != catalog.Breached || r.Call != catalog.Stop || r.Verdict != "breached" || r.Units != 190 {
		t.Errorf("after the guard's word: %+v", r)
	}
	w.write(guardrails.Entry{Seq: 1, Decision: 1, Kind: guardrails.Decided, Act: guardrails.DoKill, Guardrail: "errors", Arm: "treatment", Text: "harm"})
	w.write(guardrails.Entry{Seq: 2, Decision: 1, Kind: guardrails.Denied, Text: "forbidden"})
	if r := w.row(c); r.Kill != "denied" {
		t.Errorf("after the decision: %+v", r)
	}
	w.now = w.now.Add(2 * time.Second)
	w.apply("checkout")
	w.write(guardrails.Entry{Seq: 3, Kind: guardrails.Snoozed, Until: w.now.Add(time.Hour)})
	if r := w.row(c); r.Owner != "checkout" || !r.SnoozedUntil.Equal(w.now.Add(time.Hour)) {
		t.Errorf("after the next version: %+v", r)
	}
	if wanted := c.wanted(); len(wanted) != 0 {
		t.Errorf("%d documents are to be read again", len(wanted))
	}
	if old := w.catalog(); !slices.Equal(w.row(old).Arms, []string{"control", "treatment"}) || w.row(old).Health != w.row(c).Health {
		t.Error("a catalog that was begun later shows something else")
	}
}

// TestCatalogWaits: nobody is shown an empty list before everything was read.
func TestCatalogWaits(t *testing.T) {
	w := newLookWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.catalog().Rows(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("rows of nothing: %v", err)
	}
}

// TestDetail: the whole document with what is added for its readers, under a tag that
// changes with it; what is not there is said to be missing.
func TestDetail(t *testing.T) {
	w := newLookWorld(t)
	c := w.catalog()
	w.row(c)
	d, err := c.Detail(t.Context(), "cta", 0)
	if err != nil || d.Document != nil || d.Row.Health != catalog.Unlooked {
		t.Errorf("without a look: %+v, %v", d.Row, err)
	}
	w.look(0)
	w.row(c)
	first, err := c.Detail(t.Context(), "cta", 1)
	if err != nil || first.Document == nil || first.Tag == d.Tag || len(first.Document.Plan) == 0 || len(first.Document.Cells) == 0 || first.Document.Comparisons[0].Open.Treatment.Interval == nil {
		t.Fatalf("%+v, %v", first, err)
	}
	if first.Row.Look == "" || first.Box.Call == "" || first.Iteration.Number != 1 {
		t.Errorf("%+v", first)
	}
	again, err := c.Detail(t.Context(), "cta", 0)
	if err != nil || again.Document != first.Document || again.Tag != first.Tag {
		t.Errorf("the same document was made twice: %v", err)
	}
	w.write(guardrails.Entry{Seq: 1, Kind: guardrails.SRMAlarm, Phase: 1})
	w.row(c)
	alarmed, err := c.Detail(t.Context(), "cta", 0)
	if err != nil || alarmed.Tag == first.Tag || alarmed.Row.Health != catalog.BrokenSplit || len(alarmed.Document.LogHead) != 64 {
		t.Errorf("after the alarm: %+v, %v", alarmed.Row, err)
	}
	for _, missing := range []func() error{
		func() error { _, err := c.Detail(t.Context(), "nope", 0); return err },
		func() error { _, err := c.Detail(t.Context(), "cta", 7); return err },
	} {
		var m *catalog.Missing
		if err := missing(); !errors.As(err, &m) || m.Hint == "" {
			t.Errorf("what is not there: %v", err)
		}
	}
}

// TestHealthOfData: how far the shards are, what became of every offset.
func TestHealthOfData(t *testing.T) {
	w := newLookWorld(t)
	c := w.catalog()
	w.row(c)
	h, err := c.Health(t.Context())
	if err != nil || h.State != catalog.OK || len(h.Shards) != 1 || h.Shards[0].Seq != 2 || h.Reconciliation.Records != 20 || h.Reconciliation.Difference != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	w.now = w.now.Add(time.Minute)
	if h, err = c.Health(t.Context()); err != nil || h.State != catalog.Stopped || !h.Shards[0].Silent || h.Shards[0].Lag != 60 {
		t.Errorf("a minute later: %+v, %v", h, err)
	}
}

// TestHistory: the series say what the stored looks said, and the splits too.
func TestHistory(t *testing.T) {
	w := newLookWorld(t)
	c := w.catalog()
	w.countWith("control", 900, 90)
	w.countWith("treatment", 900, 140)
	first := w.look(0)
	w.now = w.now.Add(time.Minute)
	w.countWith("treatment", 20, 7)
	second := w.look(0)
	w.row(c)
	all, err := c.History(t.Context(), catalog.Stretch{Experiment: "cta", Points: 1000})
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	some, err := c.History(t.Context(), catalog.Stretch{Experiment: "cta", Metric: "sales", Arm: "treatment", Points: 1000})
	if err != nil || len(some) != 1 || len(some[0].Points) != 2 {
		t.Fatal(some, err)
	}
	for i, d := range []*results.Document{first, second} {
		p := some[0].Points[i]
		x := d.Comparisons[slices.IndexFunc(d.Comparisons, func(c results.Comparison) bool { return c.Metric == "sales" })].Open
		if !p.At.Equal(d.At) || p.Open.Units != (catalog.Units{Treatment: x.Treatment.Units, Control: x.Control.Units}) ||
			!p.Open.Absolute.Sequential.High.Known() || !p.Open.Absolute.Estimate.Equal(x.Absolute.Estimate) || !p.Open.Absolute.Sequential.High.Equal(x.Absolute.Sequential.High) || !p.Open.Absolute.Fixed.Low.Equal(x.Absolute.Fixed.Low) || !p.Open.Relative.Estimate.Equal(x.Relative.Estimate) {
			t.Errorf("look %d: %+v, in the document %+v", i, p, x)
		}
	}
	splits, err := c.Splits(t.Context(), catalog.Stretch{Experiment: "cta"})
	if err != nil || len(splits) != 2 || splits[1].Units["treatment"] != 1010 || !splits[1].P.Equal(second.Phases[0].SRM.P) {
		t.Errorf("%+v, %v", splits, err)
	}
	if few, err := c.History(t.Context(), catalog.Stretch{Experiment: "cta", Metric: "sales", Points: 1}); err != nil || len(few[0].Points) > 2 {
		t.Errorf("%d points of one, %v", len(few[0].Points), err)
	}
	var m *catalog.Missing
	if _, err := c.History(t.Context(), catalog.Stretch{Experiment: "nope"}); !errors.As(err, &m) {
		t.Errorf("of nothing: %v", err)
	}
}
