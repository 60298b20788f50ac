package stats

import (
	"fmt"
	"math"
)

// Rare events are compared without the normal approximation, by asking in
// which arm each event happened. If the arms share their rate, whatever it does
// over time, an event is the treatment's with probability ρ, the treatment's
// intended share of the pair; with rate ratio r it is ρr/(ρr + 1−ρ). That is a
// sequence of coin tosses, and mixing its likelihood ratio over a Beta(kρ,
// k(1−ρ)) distribution gives an e-value that holds at any look and any number
// of events (Lindon & Malek 2022; Lindon, Ham, Tingley & Bojinov 2022).
//
// An event here is the first of its unit, so that counts are numbers of units:
// repeated events of one unit are not independent, and one client in a retry
// loop would refute anything.

// DefaultCountRatio is the |ln rate ratio| that the count tests expect unless
// told otherwise: a fifth more or fewer events.
const DefaultCountRatio = 0.2

// CountPhase is one phase of a pair of arms, counted in units with at least one
// event.
type CountPhase struct {
	Name               string
	Treatment, Control int64
	// Share is the treatment's intended share of the pair's traffic, in (0, 1).
	Share float64
}

// CountPlan is what is fixed before the first event.
type CountPlan struct {
	// Alpha is the error rate over all looks: two-sided in CompareCounts,
	// one-sided in the tests. It lies in (0, 0.5).
	Alpha float64
	// Ratio is the |ln rate ratio| δ at which the test is most powerful: the
	// mixture has k = 1/(ρ(1−ρ)δ²). Zero falls back to DefaultCountRatio; so does, with a
	// warning, what is no ratio, and one outside [10⁻⁴, 10³] to the nearer end. Any value
	// is valid; a wrong one costs power.
	Ratio float64
}

// leastCountRatio and mostCountRatio bound the ratio: beyond them the mixture is one
// point, or none.
const (
	leastCountRatio = 1e-4
	mostCountRatio  = 1e3
)

// ratio is the plan's, or what stands in for it, which a warning says unless there was
// none.
func (p CountPlan) ratio() (float64, []Warning) {
	ratio := p.Ratio
	if !(ratio > 0) || math.IsInf(ratio, 1) {
		ratio = DefaultCountRatio
	}
	ratio = clamp(ratio, leastCountRatio, mostCountRatio)
	if ratio == p.Ratio || p.Ratio == 0 {
		return ratio, nil
	}
	return ratio, []Warning{{DefaultPlan, fmt.Sprintf("no mixture is tuned to the log rate ratio %v: %v is assumed", p.Ratio, ratio)}}
}

// CountEffect compares the rates of two arms, at any look.
type CountEffect struct {
	// LogRatio is the most likely ln(rate of treatment / rate of control): −Inf
	// or +Inf while one arm has no event, NaN while both have none.
	LogRatio float64
	Interval         // always-valid, of the log rate ratio
	LogE     float64 // log e-value against "the rates are equal"
	P        float64 // min(1, 1/e), always valid; below Alpha exactly when the interval excludes 0
	// Treatment and Control are the units with an event in the phases that count.
	Treatment, Control int64
	LeftOut            []string
	Warnings           []Warning
}

// CompareCounts tests "the rates are equal" and bounds the log rate ratio.
// Phases are never pooled: each has its own share, the e-values of the phases
// multiply, and the interval keeps every ratio whose product stays below
// 1/alpha. Under a common rate, however it drifts, the error rate holds exactly
// at any number of events.
//
// It assumes units randomised independently with the intended shares (judge
// that with SampleRatio) and, for the interval, one ratio at all times.
// Non-events are ignored, which costs a part p of the information: above 5 % of
// units with an event the mean's test is stronger. Without an event P is 1 and
// the interval (−∞, +∞). Phases with an impossible share or count are left out
// and named; an invalid alpha decides nothing.
func CompareCounts(phases []CountPhase, plan CountPlan) CountEffect {
	s, warnings := newStreams(phases, plan)
	out := CountEffect{
		LogRatio: s.logRatio(), Interval: everything(), P: 1,
		Treatment: s.treatment, Control: s.control, LeftOut: s.leftOut, Warnings: warnings,
	}
	if !validAlpha(plan.Alpha) {
		out.Warnings = append(out.Warnings, invalidAlpha(plan.Alpha))
		return out
	}
	if s.events() == 0 {
		return out
	}
	out.LogE = s.logE(0)
	out.P = math.Min(1, math.Exp(-out.LogE))
	limit := -math.Log(plan.Alpha)
	refuted := func(theta float64) bool { return s.logE(theta) >= limit }
	if refuted(s.start()) {
		out.Warnings = append(out.Warnings, Warning{PhasesDisagree, "no single ratio of rates fits all phases: the interval is empty, its estimate is shown"})
	}
	out.Low = edge(s.start(), -1, refuted)
	out.High = edge(s.start(), +1, refuted)
	return out
}

// streams are the phases that count, with their mixtures.
type streams struct {
	phases             []stream
	treatment, control int64
	leftOut            []string
}

// stream is one phase: events and the log odds of the treatment's share.
type stream struct {
	treatment, control, share, logOdds, concentration float64
}

func newStreams(phases []CountPhase, plan CountPlan) (streams, []Warning) {
	var s streams
	ratio, warnings := plan.ratio()
	for _, p := range phases {
		if p.Treatment == 0 && p.Control == 0 {
			continue // no event yet says nothing, whatever the shares
		}
		if p.Treatment < 0 || p.Control < 0 || max(p.Treatment, p.Control) > 1<<53 || !(p.Share > 1e-12 && p.Share < 1-1e-12) {
			s.leftOut = append(s.leftOut, p.Name)
			warnings = append(warnings, Warning{PhaseLeftOut, fmt.Sprintf(
				"phase %q is left out: %d and %d events at the share %v; a count test needs counts of 0 to 2⁵³ and a share between 10⁻¹² and 1−10⁻¹²",
				p.Name, p.Treatment, p.Control, p.Share)})
			continue
		}
		s.treatment += p.Treatment
		s.control += p.Control
		s.phases = append(s.phases, stream{
			float64(p.Treatment), float64(p.Control), p.Share, math.Log(p.Share) - math.Log1p(-p.Share),
			1 / (p.Share * (1 - p.Share) * ratio * ratio),
		})
	}
	if s.events() == 0 {
		warnings = append(warnings, Warning{NoBasis, "no unit has had an event: the rates cannot be compared"})
	}
	return s, warnings
}

func (s streams) events() int64 { return s.treatment + s.control }

// logE is the log e-value against the log rate ratio theta. It is convex in
// theta, so the ratios that it does not refute are an interval.
func (s streams) logE(theta float64) float64 {
	var sum float64
	for _, p := range s.phases {
		sum += logBetaRatio(p.concentration*p.share, p.concentration*(1-p.share), p.treatment, p.control) -
			p.logLikelihood(theta)
	}
	return sum
}

// logBetaRatio is ln B(a+s, b+f) − ln B(a, b).
func logBetaRatio(a, b, s, f float64) float64 {
	return logGammaRatio(a, s) + logGammaRatio(b, f) - logGammaRatio(a+b, s+f)
}

// logLikelihood of the events' arms at the log rate ratio theta.
func (p stream) logLikelihood(theta float64) float64 {
	x := p.logOdds + theta
	return -scaled(p.treatment, softplus(-x)) - scaled(p.control, softplus(x))
}

// scaled is x·y with 0·∞ = 0: events that did not happen cost nothing.
func scaled(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * y
}

// softplus is ln(1+eˣ).
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// logRatio is where the likelihood is greatest.
func (s streams) logRatio() float64 {
	switch {
	case s.events() == 0:
		return math.NaN()
	case s.treatment == 0:
		return math.Inf(-1)
	case s.control == 0:
		return math.Inf(1)
	}
	return s.start()
}

// start is a finite log ratio within every interval: the most likely one, or
// one so extreme that the likelihood there is as good as the best.
func (s streams) start() float64 {
	excess := func(theta float64) bool { // more treatment events expected than seen
		var sum float64
		for _, p := range s.phases {
			sum += (p.treatment+p.control)/(1+math.Exp(-p.logOdds-theta)) - p.treatment
		}
		return sum >= 0
	}
	if len(s.phases) == 1 && s.treatment > 0 && s.control > 0 {
		return math.Log(float64(s.treatment)) - math.Log(float64(s.control)) - s.phases[0].logOdds
	}
	return root(-extreme, extreme, excess)
}

// extreme is a log ratio beyond every finite estimate: e⁻¹⁰⁰ is less than one in
// all units there will ever be.
const extreme = 100

// edge walks from inside an interval to where refuted turns true, in the
// direction given; ±Inf if it never does.
func edge(inside, direction float64, refuted func(float64) bool) float64 {
	if refuted(inside) { // so many phases that no single ratio fits them all
		return inside
	}
	step := 0.01
	for !refuted(inside + direction*step) {
		if step *= 2; step > 8*extreme {
			return math.Inf(int(direction))
		}
	}
	return inside + direction*root(0, step, func(d float64) bool { return refuted(inside + direction*d) })
}

// logGammaRatio is ln Γ(x+n) − ln Γ(x). For a large x it is the difference of Stirling's
// series, written so that what is large in both never appears.
func logGammaRatio(x, n float64) float64 {
	if x > 128 {
		return n*math.Log(x) + (x+n-0.5)*math.Log1p(n/x) - n + stirlingRest(x+n) - stirlingRest(x)
	}
	high, _ := math.Lgamma(x + n)
	low, _ := math.Lgamma(x)
	return high - low
}
