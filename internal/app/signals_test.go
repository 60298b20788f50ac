package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/promql"
	"github.com/assay-dev/assay/internal/signals"
)

// services are the world that signals are about: what each query is answered at a time.
type services struct {
	value func(query string, at time.Time) (float64, error)
	alive bool
}

func (s *services) Value(_ context.Context, query string, at time.Time) (float64, error) {
	return s.value(query, at)
}

func (s *services) Healthy(_ context.Context, name string) (float64, error) {
	switch {
	case name != "checkout":
		return 0, &promql.Fault{Gap: signals.NotConfigured}
	case s.alive:
		return 1, nil
	}
	return 0, nil
}

const signalFile = `
key: cta
owner: growth
variants: {control: 50%, treatment: 50%}
control: control
window: 10s
goals: [sales]
signals:
  - {name: p99, query: latency, unit: s, max: 0.8, hold: 2, on_breach: pause}
  - {name: load, query: load}
  - {name: alive, health: checkout, hold: 1}
  - {name: elsewhere, health: other, hold: 1}
iterations:
  - phases:
      - {traffic: 10%}
`

// signalWorld is an experiment with signals, whose services and time the test moves.
type signalWorld struct {
	*lookWorld
	*Signals
	services *services
	registry *prometheus.Registry
}

func newSignalWorld(t *testing.T) *signalWorld {
	w := &lookWorld{Stack: newStack(t), t: t, now: time.Now().UTC().Truncate(time.Minute).Add(-6 * time.Hour)}
	w.Config.Signals = config.Default().Signals
	out := &signalWorld{lookWorld: w, registry: prometheus.NewRegistry(), services: &services{
		alive: true, value: func(string, time.Time) (float64, error) { return 0.5, nil }}}
	out.applyFile(signalFile)
	w.count("control", 100)
	w.count("treatment", 90)
	var err error
	if out.Signals, err = w.newSignals("guard@a", out.registry); err != nil {
		t.Fatal(err)
	}
	out.ask = out.services
	out.Signals.now = func() time.Time { return w.now }
	return out
}

func (w *signalWorld) parse(text string) *experiment.Set {
	w.t.Helper()
	set, problems := experiment.Parse([]experiment.File{
		{Name: "cta.yaml", Data: []byte(text)},
		{Name: "sales.yaml", Data: []byte("name: sales\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")},
	})
	if err := problems.Err(); err != nil {
		w.t.Fatal(err)
	}
	return set
}

func (w *signalWorld) applyFile(text string) {
	w.t.Helper()
	set := w.parse(text)
	if _, err := w.lookWorld.Apply(w.t.Context(), set, "somebody", func() time.Time { return w.lookWorld.now }); err != nil {
		w.t.Fatal(err)
	}
}

// read goes on for so many readings.
func (w *signalWorld) read(n int) {
	w.t.Helper()
	for range n {
		w.lookWorld.now = w.lookWorld.now.Add(15 * time.Second)
		if err := w.round(w.t.Context(), w.lookWorld.now.Truncate(15*time.Second)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *signalWorld) states() (out []string) {
	for _, f := range w.Facts("cta", 1) {
		out = append(out, f.Signal+" "+string(f.State)+" "+string(f.Reason))
	}
	return out
}

func (w *signalWorld) wantStates(when string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.states()); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// wantMetrics holds every series against what it should be, by its labels but the
// experiment.
func (w *signalWorld) wantMetrics(want map[string]float64) {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				if l.GetName() != "experiment" {
					name += " " + l.GetValue()
				}
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// keep stores so many readings of p99 and a health check at once, as rounds would.
func (w *signalWorld) keep(n int, height float64) {
	w.t.Helper()
	v := mustVersion(w.t, w.DB)
	e := v.Find("cta")
	it := e.Latest()
	var rows []clickhouse.SignalReading
	for range n {
		w.lookWorld.now = w.lookWorld.now.Add(15 * time.Second)
		at := w.lookWorld.now.Truncate(15 * time.Second)
		x := signals.Exposure{Phase: signals.PhaseAt(it, at).Number, Planned: signals.PlannedExposure(e, signals.PhaseAt(it, at))}
		wave := 0.3 + 0.01*float64(at.Unix()/15%7) // over within a block
		for i, value := range []float64{wave + height, wave, 1} {
			q := asking{experiment: e, iteration: it, signal: &e.Signals[i], exposure: x, value: value}
			rows = append(rows, q.row(at, "guard@a"))
		}
	}
	if err := w.DB.StoreSignals(w.t.Context(), rows); err != nil {
		w.t.Fatal(err)
	}
}

// TestSignalsAreRead: what is answered is stored beside the units of the look, what is not
// is a gap, and breakers trip and close by what is stored, also after a restart.
func TestSignalsAreRead(t *testing.T) {
	w := newSignalWorld(t)
	w.read(1)
	w.wantStates("at first", "p99 unknown too_few", "alive within within_limits", "elsewhere unknown no_answer")
	w.look(0)
	w.read(2)
	w.services.alive = false
	w.services.value = func(query string, _ time.Time) (float64, error) {
		if query == "load" {
			return 0, &promql.Fault{Gap: signals.TimedOut, Detail: "no answer in time"}
		}
		return 0.9, nil
	}
	w.read(1)
	w.wantStates("one beyond", "p99 within within_limits", "alive breached unhealthy", "elsewhere unknown no_answer")
	w.read(1)
	w.wantStates("two beyond", "p99 breached above_max", "alive breached unhealthy", "elsewhere unknown no_answer")

	spans, err := w.DB.Signals(t.Context(), clickhouse.SignalFilter{Experiment: "cta", Iteration: 1, From: w.lookWorld.now.Add(-time.Hour), To: w.lookWorld.now.Add(time.Minute)})
	if err != nil || len(spans) != 20 {
		t.Fatalf("%d readings are stored, %v; want 20", len(spans), err)
	}
	first, last := spans[len(spans)-5], spans[len(spans)-1]
	if first.Signal != "p99" || first.Look != "" || *first.Mean != 0.5 || first.Phase != 1 || first.Planned != 0.05 {
		t.Errorf("before the first look: %+v", first)
	}
	if last.Look == "" || last.Units != 190 || last.Treated != 90 || *last.Mean != 0.9 {
		t.Errorf("after it: %+v", last)
	}

	// Another guard, or this one after a restart, says the same of what is stored.
	again, err := w.newSignals("guard@b", prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	again.ask, again.now = w.services, w.Signals.now
	if err := again.round(t.Context(), w.lookWorld.now.Truncate(15*time.Second)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.Facts("cta", 1), again.Facts("cta", 1)); diff != "" {
		t.Errorf("after a restart (-before +after):\n%s", diff)
	}
	w.wantMetrics(map[string]float64{
		"assay_signal_breaker alive breached": 1, "assay_signal_breaker elsewhere unknown": 1, "assay_signal_breaker p99 breached": 1,
		"assay_signal_questions_total answered": 13, "assay_signal_questions_total not_configured": 5, "assay_signal_questions_total timed_out": 2,
	})
	w.lookWorld.now = w.lookWorld.now.Add(61 * time.Second)
	w.wantStates("nobody reads any more", "p99 unknown stale", "alive unknown stale", "elsewhere unknown stale")
	if f := w.Facts("cta", 2); f != nil {
		t.Errorf("an iteration that never was: %v", f)
	}
}

// TestSignalsOf: the report has the readings, the breakers and what changed at the step;
// an edited query is another series.
func TestSignalsOf(t *testing.T) {
	w := newSignalWorld(t)
	w.keep(60, 0)
	w.applyFile(strings.Replace(signalFile, "      - {traffic: 10%}\n", "      - {traffic: 10%}\n      - {traffic: 50%, settle: 1m}\n", 1))
	w.keep(4+240, 0.1)
	report := func() *signals.Report {
		t.Helper()
		v, err := w.DB.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.SignalsOf(t.Context(), v.Find("cta"), 0, SignalsAsked{Points: 50}, w.lookWorld.now)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := report()
	if len(r.Signals) != 4 || len(r.Phases) != 2 || r.Phases[1].Planned != 0.25 {
		t.Fatalf("%+v", r)
	}
	p99 := r.Signals[0]
	if n := len(p99.Points); n < 45 || n > 52 || p99.Breaker == nil || p99.Breaker.State != signals.Within {
		t.Errorf("%d points, breaker %+v", n, p99.Breaker)
	}
	if len(p99.Steps) != 1 || p99.Steps[0].Verdict != signals.Waiting {
		t.Fatalf("steps before the hour is over: %+v", p99.Steps)
	}
	w.keep(3, 0.1)
	step := report().Signals[0].Steps[0]
	if step.Verdict != signals.Changed || !step.Worse || step.Shift == nil || step.Shift.Low > 0.1 || step.Shift.High < 0.1 || step.Before.Readings < 59 || step.After.Readings != 240 {
		t.Errorf("the step: %+v, %+v", step, step.Shift)
	}
	if alive := report().Signals[2]; alive.Steps[0].Verdict != signals.TooLittle || !strings.Contains(alive.Steps[0].Text, "do not differ") {
		t.Errorf("a signal that never moved: %+v", alive.Steps)
	}
	w.applyFile(strings.Replace(strings.Replace(signalFile, "      - {traffic: 10%}\n", "      - {traffic: 10%}\n      - {traffic: 50%, settle: 1m}\n", 1), "query: latency", "query: latency/2", 1))
	edited := report().Signals[0]
	if len(edited.Points) != 0 || edited.Steps[0].Verdict != signals.TooLittle || edited.Breaker.State != signals.Unknown {
		t.Errorf("an edited query goes on with the old one's readings: %+v", edited)
	}
}

// TestSignalsEnd: an iteration that is over is read no more.
func TestSignalsEnd(t *testing.T) {
	w := newSignalWorld(t)
	w.read(2)
	w.lookWorld.now = w.lookWorld.now.Add(400 * 24 * time.Hour)
	all, err := w.questions(t.Context(), mustVersion(t, w.DB), w.lookWorld.now)
	if err != nil || len(all) != 0 {
		t.Errorf("%d questions about an iteration that is over, %v", len(all), err)
	}
}

func mustVersion(t *testing.T, db *clickhouse.DB) *experiment.Version {
	t.Helper()
	v, err := db.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

// TestTrySignals: what files bring anew is asked before it is applied; a query that the
// server does not understand is a problem at its line, other gaps are doubts, and what is
// in force already is not asked again.
func TestTrySignals(t *testing.T) {
	w := newSignalWorld(t)
	text := strings.Replace(signalFile, "signals:\n", "signals:\n  - {name: broken, query: 'sum(', max: 1}\n  - {name: none, query: nothing}\n", 1)
	set := w.parse(text)
	var asked []string
	var mu sync.Mutex
	w.services.value = func(query string, _ time.Time) (float64, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, query)
		switch query {
		case "sum(":
			return 0, &promql.Fault{Gap: signals.BadQuery, Detail: "unclosed left parenthesis"}
		case "nothing":
			return 0, &promql.Fault{Gap: signals.NoData}
		}
		return 1, nil
	}
	bad, doubts, err := w.trySignals(t.Context(), w.services, set, w.lookWorld.now)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	if want := []string{"nothing", "sum("}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	if len(bad) != 1 || bad[0].Line != 9 || !strings.Contains(bad[0].Text, "bad_query: unclosed left parenthesis") {
		t.Errorf("problems: %v", bad)
	}
	if len(doubts) != 1 || doubts[0].Line != 10 || !strings.Contains(doubts[0].Text, "no_data") {
		t.Errorf("doubts: %v", doubts)
	}
}
