package watch

import (
	"cmp"
	"errors"
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/results"
)

// gauges are the guard's own numbers.
type gauges struct {
	decisions    *prometheus.CounterVec
	kills        *prometheus.CounterVec
	killSeconds  prometheus.Histogram
	blindSeconds *prometheus.CounterVec
	lookSeconds  prometheus.Histogram
	verdict      *prometheus.GaugeVec
	aside        *prometheus.GaugeVec
	snoozed      *prometheus.GaugeVec
	ramp         *prometheus.GaugeVec
	rampTraffic  *prometheus.GaugeVec
	rampHeld     *prometheus.GaugeVec
	rampBegun    *prometheus.GaugeVec
	moves        *prometheus.CounterVec
	sheds        prometheus.Counter
	kept         prometheus.Gauge
	failures     prometheus.Counter
	lastRound    prometheus.Gauge
	leads        prometheus.Gauge

	// What is shown at present: setting what stands is what costs, not looking it up.
	verdicts map[ruleOf]guardrails.Kind
	asides   map[string]aside
	held     map[string]guardrails.RampReason // ramps
}

// ruleOf is a rule as the metrics name it.
type ruleOf struct{ experiment, guardrail, arm string }

func newGauges(r prometheus.Registerer) (*gauges, error) {
	g := &gauges{
		verdicts: map[ruleOf]guardrails.Kind{}, asides: map[string]aside{}, held: map[string]guardrails.RampReason{},
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_guard_decisions_total", Help: "Decisions that this guard wrote, by what they led to and why.",
		}, []string{"act", "reason"}),
		kills: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_guard_kills_total", Help: "Steps of kills: decided, held, sending, accepted, verified, denied, pending_approval, failed, effective, not_effective, overridden.",
		}, []string{"outcome"}),
		killSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "assay_guard_kill_seconds", Help: "From the decision to the switch read back as off.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300},
		}),
		blindSeconds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_guard_blind_seconds_total", Help: "Time in which an experiment's guardrails could not be judged.",
		}, []string{"experiment"}),
		lookSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "assay_guard_look_seconds", Help: "From asking the shards to the answer of the moments query.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		verdict: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_guardrail_verdict", Help: "1 for the present verdict of a guardrail, 0 for the others.",
		}, []string{"experiment", "guardrail", "arm", "verdict"}),
		aside: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_guard_exposures_aside", Help: "Exposures of the running iteration that were put aside: unknown_variant, other_unit_kind, outside, moved.",
		}, []string{"experiment", "why"}),
		snoozed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_guard_snoozed", Help: "1 while automatic kills of an experiment wait on a person's word; all: those of every experiment, also where guard.observe is set.",
		}, []string{"experiment"}),
		ramp: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ramp_state", Help: "1 for the present state of an experiment's ramp, 0 for the others: waiting, held, advancing, advanced, reverted, done.",
		}, []string{"experiment", "state"}),
		rampTraffic: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ramp_traffic", Help: "Share of the eligible units that take part at the present step of an experiment's ramp, 0 to 1.",
		}, []string{"experiment"}),
		rampHeld: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ramp_held", Help: "1 while a ramp is held, by the reason (docs/ramps.md has them).",
		}, []string{"experiment", "reason"}),
		rampBegun: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_ramp_step_begun_timestamp_seconds", Help: "When the present step of an experiment's ramp began.",
		}, []string{"experiment"}),
		moves: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_ramp_moves_total", Help: "Steps of moves of ramps (advance, revert): decided, sending, accepted, verified, denied, pending_approval, failed, phase_begun, phase_skipped.",
		}, []string{"move", "outcome"}),
		sheds: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_guard_sheds_total", Help: "Steps of the plan for overload (shedding): consumers keep fewer units from then on.",
		}),
		kept: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assay_guard_kept_share", Help: "Share of all units that consumers keep by the configuration in force, 0 to 1.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_guard_round_failures_total", Help: "Rounds of the guard that could not be finished.",
		}),
		lastRound: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assay_guard_last_round_timestamp_seconds", Help: "When the guard last finished a round.",
		}),
	}
	g.leads = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "assay_guard_leads", Help: "1 while this guard looks as often as it can and stores its looks; 0: another one does, and this one looks each second.",
	})
	// Born at 0: a counter that begins at 1 hides its first event from increase().
	for _, step := range []guardrails.EntryKind{
		guardrails.Decided, guardrails.Held, guardrails.Sending, guardrails.Accepted, guardrails.Verified, guardrails.Denied,
		guardrails.PendingApproval, guardrails.Failed, guardrails.Effective, guardrails.NotEffective, guardrails.Overridden,
	} {
		g.kills.WithLabelValues(string(step))
	}
	for _, step := range []string{
		"decided", string(guardrails.Sending), string(guardrails.Accepted), string(guardrails.Verified), string(guardrails.Denied),
		string(guardrails.PendingApproval), string(guardrails.Failed), string(guardrails.PhaseBegun), string(guardrails.PhaseSkipped),
	} {
		g.moves.WithLabelValues("advance", step)
		g.moves.WithLabelValues("revert", step)
	}
	var failed error
	for _, c := range []prometheus.Collector{
		g.decisions, g.kills, g.killSeconds, g.blindSeconds, g.lookSeconds, g.verdict, g.aside, g.snoozed, g.ramp, g.rampTraffic, g.rampHeld, g.rampBegun, g.moves, g.sheds, g.kept, g.failures, g.lastRound, g.leads,
	} {
		failed = errors.Join(failed, r.Register(c))
	}
	return g, failed
}

// count counts a line of the decision log.
func (g *gauges) count(e guardrails.Entry) {
	if e.Ramp != nil {
		g.countMove(e)
		return
	}
	switch e.Kind {
	case guardrails.LoadShed:
		g.sheds.Inc()
		return
	case guardrails.Decided:
		g.decisions.WithLabelValues(e.Act.String(), string(e.Reason)).Inc()
		if e.Act != guardrails.DoKill {
			return
		}
	case guardrails.SRMAlarm:
		g.decisions.WithLabelValues(guardrails.DoNotify.String(), string(e.Reason)).Inc()
		return
	case guardrails.SRMAcknowledged, guardrails.Resumed, guardrails.IterationEnded, guardrails.ArmEnded, guardrails.Snoozed, guardrails.Drilled, guardrails.Noted,
		guardrails.ErasureAsked, guardrails.Erased, guardrails.Exported,
		guardrails.ChangeProposed, guardrails.ChangeApproved, guardrails.ApprovalWithdrawn, guardrails.ChangeApplied:
		return
	}
	g.kills.WithLabelValues(string(e.Kind)).Inc()
}

// countMove counts a line about a ramp; what a person says of it is no step of a move.
func (g *gauges) countMove(e guardrails.Entry) {
	move, outcome := "advance", string(e.Kind)
	if e.Ramp.Revert {
		move = "revert"
	}
	switch {
	case e.Kind.Moves():
		outcome = "decided"
	case e.Decision == 0:
		return
	}
	g.moves.WithLabelValues(move, outcome).Inc()
}

// setRamp shows where a ramp is.
func (g *gauges) setRamp(experiment string, now guardrails.Ramping) {
	g.rampTraffic.WithLabelValues(experiment).Set(now.Traffic)
	g.rampBegun.WithLabelValues(experiment).Set(float64(now.Since.UnixMilli()) / 1000)
	g.setHeld(experiment, now)
	for _, s := range []guardrails.RampState{
		guardrails.RampWaiting, guardrails.RampHeld, guardrails.RampAdvancing, guardrails.RampAdvanced, guardrails.RampReverted, guardrails.RampDone,
	} {
		on := 0.0
		if s == now.State {
			on = 1
		}
		g.ramp.WithLabelValues(experiment, string(s)).Set(on)
	}
}

// setHeld shows what holds a ramp. What goes on holding it is left alone: a series that
// is gone for a moment begins anew for whoever asks how long.
func (g *gauges) setHeld(experiment string, now guardrails.Ramping) {
	reason := now.Reason
	if now.State != guardrails.RampHeld {
		reason = ""
	}
	shown := g.held[experiment]
	if shown == reason {
		return
	}
	if reason != "" {
		g.rampHeld.WithLabelValues(experiment, string(reason)).Set(1)
	}
	if shown != "" {
		g.rampHeld.DeleteLabelValues(experiment, string(shown))
	}
	g.held[experiment] = reason
}

func (g *gauges) setVerdict(v *guardrails.Verdict) {
	rule := ruleOf{v.Rule.Experiment, v.Rule.Metric, v.Rule.Arm}
	if shown, known := g.verdicts[rule]; known && shown == v.Kind {
		return
	}
	g.verdicts[rule] = v.Kind
	for k := guardrails.Inconclusive; k <= guardrails.Error; k++ {
		on := 0.0
		if k == v.Kind {
			on = 1
		}
		g.verdict.WithLabelValues(rule.experiment, rule.guardrail, rule.arm, k.String()).Set(on)
	}
}

// aside is what an iteration has put aside.
type aside struct{ unknownVariants, otherUnitKind, outside, moved int64 }

// setAside shows what a look's iteration has put aside.
func (g *gauges) setAside(experiment string, a results.Aside) {
	now := aside{a.UnknownVariants, a.OtherUnitKind, a.Outside, a.Moved}
	if shown, known := g.asides[experiment]; known && shown == now {
		return
	}
	g.asides[experiment] = now
	for why, n := range map[string]int64{
		unknownVariant: now.unknownVariants, otherUnitKind: now.otherUnitKind, "outside": now.outside, "moved": now.moved,
	} {
		g.aside.WithLabelValues(experiment, why).Set(float64(n))
	}
}

// Why an exposure was put aside that its producer did not mean to be.
const (
	unknownVariant = "unknown_variant"
	otherUnitKind  = "other_unit_kind"
)

// forget drops the numbers of an experiment that is no longer looked at. Another
// iteration of it that still is sets them again.
func (g *gauges) forget(experiment string) {
	g.verdict.DeletePartialMatch(prometheus.Labels{"experiment": experiment})
	g.aside.DeletePartialMatch(prometheus.Labels{"experiment": experiment})
	g.ramp.DeletePartialMatch(prometheus.Labels{"experiment": experiment})
	g.rampTraffic.DeletePartialMatch(prometheus.Labels{"experiment": experiment})
	g.rampHeld.DeletePartialMatch(prometheus.Labels{"experiment": experiment})
	g.rampBegun.DeletePartialMatch(prometheus.Labels{"experiment": experiment})
	maps.DeleteFunc(g.verdicts, func(r ruleOf, _ guardrails.Kind) bool { return r.experiment == experiment })
	delete(g.asides, experiment)
	delete(g.held, experiment)
}

// setSnoozed shows whose automatic kills wait: by somebody's word, or of all by the
// operator's configuration.
func (g *gauges) setSnoozed(snoozes []guardrails.Snooze, observe bool) {
	g.snoozed.Reset()
	all := g.snoozed.WithLabelValues("all")
	if all.Set(0); observe {
		all.Set(1)
	}
	for _, s := range snoozes {
		g.snoozed.WithLabelValues(cmp.Or(s.Experiment, "all")).Set(1)
	}
}
