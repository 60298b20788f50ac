package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/outbound"
	"github.com/assay-dev/assay/internal/promql"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

const (
	// signalsAtOnce bounds the questions that are open at a time.
	signalsAtOnce = 8
	// signalLook is how old a look may be whose units stand beside a reading.
	signalLook = 2 * time.Minute
	// signalMemory is how far a breaker looks back, at least.
	signalMemory = time.Hour
)

// Signals reads the signals of running experiments, stores them beside the exposed share
// of the traffic and says how their breakers stand. No look and no kill waits for it.
type Signals struct {
	stack    *Stack
	ask      asker
	instance string
	every    time.Duration
	now      func() time.Time
	metrics  *signalMetrics

	mu    sync.Mutex
	facts map[runOf][]signals.Fact
	asked time.Time // of the last round that stored what it read
}

// asker answers questions; its errors are *promql.Fault.
type asker interface {
	Value(ctx context.Context, query string, at time.Time) (float64, error)
	Healthy(ctx context.Context, name string) (float64, error)
}

// newSignals makes the reader of signals. It asks nothing yet.
func (s *Stack) newSignals(instance string, r prometheus.Registerer) (*Signals, error) {
	c := s.Config.Signals
	client, err := newAsker(c)
	if err != nil {
		return nil, err
	}
	s.onClose(func() error { client.Close(); return nil })
	m, err := newSignalMetrics(r)
	if err != nil {
		return nil, err
	}
	every := cmp.Or(c.Every.Std(), config.Default().Signals.Every.Std())
	return &Signals{stack: s, ask: client, instance: instance, every: every, now: time.Now, metrics: m, facts: map[runOf][]signals.Fact{}}, nil
}

func newAsker(c config.Signals) (*promql.Client, error) {
	token, err := c.Token.Resolve()
	if err != nil {
		return nil, fmt.Errorf("signals.token: %w", err)
	}
	client, err := promql.New(promql.Config{Address: c.Prometheus, Token: outbound.Secret(token), Health: c.Health, Timeout: c.Timeout.Std()})
	if err != nil {
		return nil, fmt.Errorf("signals: %w", err)
	}
	return client, nil
}

// Run reads at every whole step of time until the context ends. A round that fails is
// logged and leaves a gap.
func (s *Signals) Run(ctx context.Context) error {
	for {
		now := s.now()
		wait := time.NewTimer(now.Truncate(s.every).Add(s.every).Sub(now))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
		if err := s.round(ctx, s.now().UTC().Truncate(s.every)); err != nil && ctx.Err() == nil {
			s.stack.Log.Warn("signals not read", "error", err)
		}
	}
}

// Facts are how the breakers of an iteration's signals stand, in the file's order. What
// nobody has judged for a while is not known.
func (s *Signals) Facts(key string, iteration uint32) []signals.Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts := append([]signals.Fact(nil), s.facts[runOf{key, iteration}]...)
	if silent := s.now().Sub(s.asked); silent > 4*s.every {
		for i := range facts {
			facts[i].State, facts[i].Reason = signals.Unknown, signals.Stale
			facts[i].Text = fmt.Sprintf("nothing was judged for %s", silent.Round(time.Second))
		}
	}
	return facts
}

// asking is one question of a round, and its answer.
type asking struct {
	experiment *experiment.Experiment
	iteration  *experiment.Iteration
	signal     *experiment.Signal
	exposure   signals.Exposure
	value      float64
	fault      *promql.Fault
}

// round reads all signals as they were at a time, stores them and judges the breakers.
func (s *Signals) round(ctx context.Context, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, max(s.every, 2*s.stack.Config.Signals.Timeout.Std()))
	defer cancel()
	v, err := s.stack.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	all, err := s.questions(ctx, &v, at)
	if err != nil {
		return err
	}
	askAll(ctx, s.ask, all, at)
	rows := make([]clickhouse.SignalReading, len(all))
	for i, q := range all {
		rows[i] = q.row(at, s.instance)
		s.metrics.questions.WithLabelValues(outcomeOf(q.fault)).Inc()
		if f := q.fault; f != nil {
			s.stack.Log.Debug("signal not answered", "experiment", q.experiment.Key, "signal", q.signal.Name, "error", f)
		}
	}
	if err := s.stack.DB.StoreSignals(ctx, rows); err != nil {
		return fmt.Errorf("store signals: %w", err)
	}
	return s.judge(ctx, all, at)
}

// questions are those of the iterations that run.
func (s *Signals) questions(ctx context.Context, v *experiment.Version, at time.Time) ([]*asking, error) {
	var all []*asking
	for i := range v.Experiments {
		e := &v.Experiments[i]
		it := catalog.Current(e, at)
		if len(e.Signals) == 0 || it == nil || at.Before(it.Start) || !at.Before(it.End) {
			continue
		}
		x, err := s.exposure(ctx, e, it, at)
		if err != nil {
			return nil, err
		}
		for j := range e.Signals {
			all = append(all, &asking{experiment: e, iteration: it, signal: &e.Signals[j], exposure: x})
		}
	}
	return all, nil
}

// exposure is how much is exposed: as planned, and by the newest look.
func (s *Signals) exposure(ctx context.Context, e *experiment.Experiment, it *experiment.Iteration, at time.Time) (x signals.Exposure, err error) {
	e = e.AsOf(it)
	phase := signals.PhaseAt(it, at)
	x.Planned = signals.PlannedExposure(e, phase)
	if phase != nil {
		x.Phase = phase.Number
	}
	looks, err := s.stack.DB.Looks(ctx, clickhouse.LookFilter{Experiment: e.Key, Iteration: it.Number, From: at.Add(-signalLook), Documents: true, Limit: 1})
	if err != nil || len(looks) == 0 {
		return x, err
	}
	d, err := catalog.DecodeSlim(looks[0].Document)
	if err != nil {
		return x, fmt.Errorf("decode look %s: %w", looks[0].ID, err)
	}
	x.Known, x.Look = true, looks[0].ID
	for i := range d.Phases {
		for _, arms := range [][]results.PhaseArm{d.Phases[i].Arms, d.Phases[i].Settling} {
			for _, a := range arms {
				units := a.Units + a.Excluded
				if x.Units += units; a.Variant != e.Control {
					x.Treated += units
				}
			}
		}
	}
	return x, nil
}

// askAll asks several questions as of a time.
func askAll(ctx context.Context, ask asker, all []*asking, at time.Time) {
	var group errgroup.Group
	group.SetLimit(signalsAtOnce)
	for _, q := range all {
		group.Go(func() error {
			var err error
			if q.signal.Health != "" {
				q.value, err = ask.Healthy(ctx, q.signal.Health)
			} else {
				q.value, err = ask.Value(ctx, q.signal.Query, at)
			}
			if err != nil && !errors.As(err, &q.fault) {
				q.fault = &promql.Fault{Gap: signals.BadAnswer, Detail: err.Error()}
			}
			return nil
		})
	}
	_ = group.Wait() // faults are gaps
}

func (q *asking) row(at time.Time, instance string) clickhouse.SignalReading {
	out := clickhouse.SignalReading{
		Experiment: q.experiment.Key, Iteration: q.iteration.Number, Signal: q.signal.Name, Source: signals.SourceOf(q.signal), At: at, Value: q.value,
		Phase: q.exposure.Phase, Planned: q.exposure.Planned, Look: q.exposure.Look, Units: q.exposure.Units, Treated: q.exposure.Treated, Instance: instance,
	}
	if q.fault != nil {
		out.Value, out.Gap = 0, string(q.fault.Gap)
	}
	return out
}

// judge reads back what is stored, by other guards too, and judges by it.
func (s *Signals) judge(ctx context.Context, all []*asking, at time.Time) error {
	facts := map[runOf][]signals.Fact{}
	for _, q := range all {
		if !q.signal.Guarded() {
			continue
		}
		readings, err := s.stack.readings(ctx, q.experiment.Key, q.iteration.Number, q.signal, at.Add(-lookBack(q.signal, s.every)), at.Add(s.every))
		if err != nil {
			return err
		}
		run := runOf{q.experiment.Key, q.iteration.Number}
		if f, ok := signals.Judge(q.signal, readings, at, s.every); ok {
			facts[run] = append(facts[run], f)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts, s.asked = facts, at
	s.metrics.show(facts)
	return nil
}

// readings are those of one signal in [from, to), oldest first.
func (s *Stack) readings(ctx context.Context, key string, iteration uint32, signal *experiment.Signal, from, to time.Time) ([]signals.Reading, error) {
	spans, err := s.DB.Signals(ctx, clickhouse.SignalFilter{
		Experiment: key, Iteration: iteration, Signal: signal.Name, Source: signals.SourceOf(signal), From: from, To: to})
	if err != nil {
		return nil, err
	}
	out := make([]signals.Reading, len(spans))
	for i, x := range spans {
		out[i] = signals.Reading{At: x.First, Gap: signals.Gap(x.Why)}
		if x.Mean != nil {
			out[i].Value = *x.Mean
		}
	}
	return out, nil
}

func outcomeOf(f *promql.Fault) string {
	if f == nil {
		return "answered"
	}
	return string(f.Gap)
}

// signalMetrics are what operators see of it.
type signalMetrics struct {
	questions *prometheus.CounterVec
	breakers  *prometheus.GaugeVec
}

func newSignalMetrics(r prometheus.Registerer) (*signalMetrics, error) {
	m := &signalMetrics{
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_signal_questions_total", Help: "Questions for signals by outcome: answered, or why there is a gap."}, []string{"outcome"}),
		breakers:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "assay_signal_breaker", Help: "1 for the state in which a signal's circuit breaker stands: within, breached or unknown."}, []string{"experiment", "signal", "state"}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.questions), r.Register(m.breakers))
}

// RegisterSignals registers the metrics of signals, with no value yet.
func RegisterSignals(r prometheus.Registerer) error {
	_, err := newSignalMetrics(r)
	return err
}

// show replaces what is shown.
func (m *signalMetrics) show(all map[runOf][]signals.Fact) {
	m.breakers.Reset()
	for run, facts := range all {
		for _, f := range facts {
			m.breakers.WithLabelValues(run.experiment, f.Signal, string(f.State)).Set(1)
		}
	}
}
