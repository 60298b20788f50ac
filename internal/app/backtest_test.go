package app

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// arrive counts units of both arms, so many of which have an error, seen at w.now.
func (w *lookWorld) arrive(units int64, errors [2]int64) {
	w.t.Helper()
	w.seq++
	var rows []ingest.Row
	for arm, variant := range []string{"control", "treatment"} {
		for metric, n := range map[string]int64{ingest.Units: 0, "sales": 0, "errors": errors[arm]} {
			rows = append(rows, ingest.Row{
				Cell:  ingest.Cell{Experiment: "cta", Iteration: 1, Phase: 1, Variant: variant, Metric: metric, Slot: w.now.Truncate(time.Minute).UnixMilli()},
				Delta: ingest.Delta{N: units, NonZero: n, Sum: ingest.Int64(n), SumSquares: ingest.Int64(n), Newest: w.now.UnixMilli()}})
		}
	}
	part := ingest.Part{Shard: 0, Seq: w.seq, Config: 1, Rows: rows, Offsets: []ingest.Counts{
		{Topic: 0, From: int64(w.seq-1) * 10, Next: int64(w.seq) * 10, Accepted: 10}}}
	if a, err := w.DB.AppendPart(w.t.Context(), []clickhouse.Topic{{Name: "exposures"}}, part); err != nil || a != clickhouse.Committed {
		w.t.Fatal(a, err)
	}
	w.fresh()
}

// harmfulHistory is 40 minutes in which 5 % of the control's units have an error, and of the
// treatment's 10 % from the 11th minute on, looked at once a minute.
func harmfulHistory(t *testing.T) *lookWorld {
	w := newLookWorld(t)
	for minute := range 40 {
		w.now = w.now.Add(time.Minute)
		errors := [2]int64{25, 25}
		if minute >= 10 {
			errors[1] = 50
		}
		w.arrive(500, errors)
		w.look(0)
	}
	return w
}

func (w *lookWorld) backtest(rules string, opt BacktestOptions) Backtest {
	w.t.Helper()
	if rules != "" {
		parsed, problems := experiment.ParseRules(experiment.File{Name: "rules.yaml", Data: []byte(rules)})
		if err := problems.Err(); err != nil {
			w.t.Fatal(err)
		}
		opt.Rules = &parsed
	}
	v, err := w.DB.Version(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := w.Backtest(w.t.Context(), &v, v.Find("cta"), 1, opt, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// TestBacktest: rules of several margins and methods against one history, from the
// looks that were stored.
func TestBacktest(t *testing.T) {
	w := harmfulHistory(t)
	start := w.now.Add(-40 * time.Minute)
	b := w.backtest(`
alpha_kill: 4%
guardrails:
  - {metric: errors, margin: 20%, mode: kill}
`, BacktestOptions{})
	if b.Source != "looks" || b.Looks < 40 || b.AlphaKill != .04 || len(b.Rules) != 1 || b.Rules[0].Alpha != .04 {
		t.Fatalf("%+v", b)
	}
	r := b.Rules[0]
	if r.Fired == nil || r.Fired.At.Before(start.Add(11*time.Minute)) || r.Fired.At.After(start.Add(25*time.Minute)) || r.Outcome != guardrails.Confirmed {
		t.Fatalf("fired %+v, %s", r.Fired, r.Outcome)
	}
	if b.Kill == nil || !b.Kill.At.Equal(r.Fired.At) || b.Kill.Metric != "errors" {
		t.Errorf("kill %+v", b.Kill)
	}
	// 500 treatment units a minute came after it; of all the harm is 5 % by the rates
	// after minute 10, diluted by the first ten.
	after := float64(w.now.Sub(r.Fired.At)/time.Minute) * 500
	if a := r.Avoided; a == nil || a.Base != after || !(a.Low.Float() > 0 && a.Low < a.Harm && a.Harm < a.High) || !(a.Each.Float() > .03 && a.Each.Float() < .05) {
		t.Errorf("avoided %+v, want of %v units", a, after)
	}
	if r.Judged[guardrails.Undecided] == 0 || r.Judged[guardrails.Harm] != 1 {
		t.Errorf("looks %v", r.Judged)
	}

	several := w.backtest(`
guardrails:
  - {metric: errors, margin: 0, mode: observe, method: count}
`, BacktestOptions{})
	if r := several.Rules[0]; r.Fired == nil || several.Kill != nil || r.Method != experiment.ByCount || r.Alpha != .05 {
		t.Errorf("by count: %+v, kill %+v", r, several.Kill)
	}
	lenient := w.backtest("guardrails: [{metric: errors, margin: 300%, mode: kill}]", BacktestOptions{})
	if r := lenient.Rules[0]; r.Fired != nil || r.Avoided != nil || r.Outcome != guardrails.Refuted {
		t.Errorf("a margin of 300 %%: %+v", r)
	}
}

// TestBacktestOfOtherMetrics: a metric that was no guardrail has the full looks.
func TestBacktestOfOtherMetrics(t *testing.T) {
	w := harmfulHistory(t)
	b := w.backtest("guardrails: [{metric: sales, margin: 10%, mode: kill}]", BacktestOptions{})
	if r := b.Rules[0]; r.Fired != nil || r.Judged[guardrails.FewEvents] < 30 {
		t.Errorf("%+v", r)
	}
	v, err := w.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for rules, want := range map[string]string{
		"guardrails: [{metric: latency, margin: 0, mode: kill}]":                 "did not count latency",
		"guardrails: [{metric: errors, margin: 0.1, mode: kill, method: count}]": "method count does not fit errors",
	} {
		parsed, _ := experiment.ParseRules(experiment.File{Name: "rules.yaml", Data: []byte(rules)})
		_, err := w.Backtest(t.Context(), &v, v.Find("cta"), 1, BacktestOptions{Rules: &parsed}, w.now)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rules, err, want)
		}
	}
}

// TestBacktestFromTheLedger: without any stored look the ledger is asked how it stood.
func TestBacktestFromTheLedger(t *testing.T) {
	w := newLookWorld(t)
	w.now = time.Now().UTC().Truncate(time.Millisecond) // parts bear the time of the machine
	w.arrive(20_000, [2]int64{1000, 2000})
	w.now = w.now.Add(3 * time.Minute)
	v, err := w.DB.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Backtest(t.Context(), &v, v.Find("cta"), 1, BacktestOptions{}, w.now)
	if err == nil || !strings.Contains(err.Error(), "no look at iteration 1 of cta is stored") {
		t.Errorf("without looks: %v", err)
	}
	b := w.backtest("", BacktestOptions{Ledger: true, Every: 62 * time.Minute})
	if b.Source != "ledger" || b.Looks != 2 || b.Rules[0].Fired == nil || b.Kill == nil {
		t.Errorf("%+v", b)
	}
}

// TestBacktestNamesWhatRan: beside what the rules would have done stands what was done.
func TestBacktestNamesWhatRan(t *testing.T) {
	w := harmfulHistory(t)
	w.write(guardrails.Entry{Seq: 1, Kind: guardrails.Decided, Act: guardrails.DoNotify, Guardrail: "errors", Arm: "treatment",
		Verdict: guardrails.Breached, Reason: guardrails.Harm, Decision: 1})
	b := w.backtest("", BacktestOptions{})
	if ran := b.Rules[0].Ran; len(ran) != 1 || ran[0].Act != guardrails.DoNotify || !ran[0].At.Equal(w.now) {
		t.Errorf("what ran: %+v", ran)
	}
}
