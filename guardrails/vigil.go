package guardrails

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// warnFor is how long a warning about something that happened at once is shown.
const warnFor = 10 * time.Minute

// Vigil remembers how an iteration's events came in and says what is not as it was. It
// is no part of a verdict's evidence: what it says stands in the look, and from there
// in the observation. A new one has to watch for a while before it says anything.
//
// Its clock is the freshness of the looks: everything older than that was counted. Looks
// that cannot be trusted teach it nothing.
type Vigil struct {
	at      time.Time
	phase   uint16
	units   flow
	arms    []string
	byArm   []int64 // units of the look
	metrics map[string]*metricFlow
	order   []*metricFlow
	missing map[string]*missing
	aside   results.Aside
	topics  map[string]*topicFlow
	open    []results.Anomaly // warnings that are still shown, by their beginning
}

// Look takes in a document and writes into it what is not as it was. Fates are those of
// the records since the last time that there were any.
func (v *Vigil) Look(d *results.Document, fates []results.Fates) {
	if !d.At.Before(d.End) {
		*v = Vigil{} // it is meant to end
		return
	}
	if len(d.Troubles) > 0 || d.Freshness.IsZero() || d.At.Sub(d.Freshness) > DefaultStall || d.Freshness.Sub(d.At) > maxSkew {
		d.Anomalies = slices.Clone(v.open)
		return
	}
	at, first := d.Freshness, v.at.IsZero()
	if phase := phaseAt(d, at); phase != v.phase { // other shares and traffic: other rates
		*v = Vigil{phase: phase, metrics: map[string]*metricFlow{}, missing: map[string]*missing{}, aside: v.aside, topics: v.topics, open: v.open}
	}
	v.at = at
	v.open = slices.DeleteFunc(v.open, func(a results.Anomaly) bool { return at.Sub(a.Since) >= warnFor })
	v.countAside(d, first)
	v.readFates(fates)
	v.readDimensions(d)
	stops := v.readFlows(d, at)
	d.Anomalies = slices.Concat(stops, v.open)
}

// phaseAt is the phase in force.
func phaseAt(d *results.Document, at time.Time) uint16 {
	var phase uint16
	for i := range d.Phases {
		if !at.Before(d.Phases[i].From) {
			phase = d.Phases[i].Number
		}
	}
	return phase
}

// warn shows a warning from now on, in place of an older one of the same.
func (v *Vigil) warn(a results.Anomaly) {
	a.Since = v.at
	v.open = slices.DeleteFunc(v.open, func(o results.Anomaly) bool {
		return o.String() == a.String()
	})
	v.open = append(v.open, a)
	slices.SortStableFunc(v.open, func(a, b results.Anomaly) int { return cmp.Compare(a.String(), b.String()) })
}

// countAside warns of exposures that their producer did not mean to be put aside.
func (v *Vigil) countAside(d *results.Document, first bool) {
	was, is := v.aside, d.Aside
	v.aside = is
	if first {
		return // from before this watch
	}
	if n := is.UnknownVariants - was.UnknownVariants; n > 0 {
		v.warn(results.Anomaly{Code: results.UnknownVariants, Text: fmt.Sprintf(
			"%d more exposures to variants that the file does not name: they are counted aside", n)})
	}
	if n := is.OtherUnitKind - was.OtherUnitKind; n > 0 {
		v.warn(results.Anomaly{Code: results.OtherUnitKind, Text: fmt.Sprintf(
			"%d more exposures of another unit kind: they are counted aside", n)})
	}
	if n := is.Misassigned() - was.Misassigned(); n > 0 {
		v.warn(results.Anomaly{Code: results.Misassigned, Text: fmt.Sprintf(
			"%d more units were shown another variant than their assignment gives them (%s): a wrong seed, another SDK, or somebody else decides", n, is.AssignmentText())})
	}
	for metric, n := range is.OutOfRange {
		if n -= was.OutOfRange[metric]; n > 0 {
			v.warn(results.Anomaly{Code: results.OutOfRange, Metric: metric, Text: fmt.Sprintf(
				"%d more values of %s are too large to be counted", n, metric)})
		}
	}
}

// readFlows follows the units and each metric's units with an event.
func (v *Vigil) readFlows(d *results.Document, at time.Time) (stops []results.Anomaly) {
	v.count(d)
	v.units.see(at, v.byArm, v.byArm, noValues)
	if due, stopped := v.units.stopped(at); stopped && at.Before(d.EnrolUntil) {
		stops = append(stops, results.Anomaly{
			Code: results.ExposuresStopped, Blind: true, Since: v.units.last.at,
			Text: fmt.Sprintf("no new unit for %s, where %.0f were due at the rate before (%.3g/s; seen within %s)",
				at.Sub(v.units.last.at).Round(time.Second), due, v.units.ref.perSecond(), latency(v.units.wait())),
		})
	}
	for _, m := range v.order {
		stops = append(stops, v.readMetric(m, at)...)
	}
	return stops
}

func (v *Vigil) readMetric(m *metricFlow, at time.Time) (stops []results.Anomaly) {
	if m.see(at, v.byArm, m.byArm, m.values) {
		if m.jumped() {
			v.warn(results.Anomaly{Code: results.RateJump, Metric: m.name, Text: fmt.Sprintf(
				"in all arms at once, units with an event of %s came %d times as fast as before or more (%.3g/s, before %.3g/s)",
				m.name, jumpFactor, m.ref.perSecond(), min(m.before[0].perSecond(), m.before[1].perSecond()))})
		}
		if factor, jumped := m.jumpedValues(); jumped {
			v.warn(results.Anomaly{Code: results.ValueJump, Metric: m.name, Text: fmt.Sprintf(
				"in all arms at once, the values of %s became %.3g times what they were: another unit of measure?", m.name, factor)})
		}
	}
	if due, stopped := m.stoppedWhile(at, v.byArm); stopped {
		stops = append(stops, results.Anomaly{
			Code: results.OutcomesStopped, Blind: true, Metric: m.name, Since: m.last.at,
			Text: fmt.Sprintf("no unit with an event of %s for %s, where %.0f were due by the units that came (seen within %s)",
				m.name, at.Sub(m.last.at).Round(time.Second), due, latency(m.waitWhile())),
		})
	}
	return stops
}

// Seen says how soon a stop would be told now, by the iteration of the document.
func (v *Vigil) Seen(d *results.Document) (out []results.Seen) {
	if wait := v.units.wait(); wait > 0 && v.at.Before(d.EnrolUntil) {
		out = append(out, results.Seen{Code: results.ExposuresStopped, Seconds: latency(wait).Seconds()})
	}
	for _, m := range v.order {
		if wait := m.waitWhile(); wait > 0 {
			out = append(out, results.Seen{Code: results.OutcomesStopped, Metric: m.name, Seconds: latency(wait).Seconds()})
		}
	}
	return out
}

// latency is a wait as it is seen: a batch, a word of the consumer and a look later.
func latency(wait time.Duration) time.Duration { return (wait + 3*time.Second).Round(time.Second) }

func noValues() []float64 { return nil }

// metricFlow follows one metric. Its counts are those of the look at hand.
type metricFlow struct {
	flow
	name  string
	byArm []int64 // units with an event, in all phases
	cells []*results.CellSums
	arms  []string
}

// values are the sums of y by arm, of kinds that have any.
func (m *metricFlow) values() []float64 {
	out := make([]float64, len(m.arms))
	for _, cell := range m.cells {
		if cell.DenominatorDecimals != nil {
			return nil
		}
		if y := cell.Scale().Moments(cell.Open.Sums()); y.N > 0 {
			out[slices.Index(m.arms, cell.Variant)] += y.Mean * float64(y.N)
		}
	}
	return out
}

// count takes the units and the metrics' events from the cells. It fills what the last
// look has left, since a guard does this a thousand times a second.
func (v *Vigil) count(d *results.Document) {
	if v.arms == nil && len(d.Phases) > 0 {
		for _, a := range d.Phases[0].Arms {
			v.arms = append(v.arms, a.Variant)
		}
		v.byArm = make([]int64, len(v.arms))
	}
	clear(v.byArm)
	for _, m := range v.order {
		clear(m.byArm)
		m.cells = m.cells[:0]
	}
	for i := range d.Phases {
		for _, arms := range [][]results.PhaseArm{d.Phases[i].Arms, d.Phases[i].Settling} {
			for k := range arms {
				v.byArm[k] += arms[k].Units
			}
		}
	}
	for i := range d.Cells {
		c := &d.Cells[i]
		arm := slices.Index(v.arms, c.Variant)
		if c.Dimension == "" && arm >= 0 && !strings.HasPrefix(c.Metric, "$") {
			m := v.metric(c.Metric)
			m.byArm[arm] += c.Open.NonZero
			m.cells = append(m.cells, c)
		}
	}
}

func (v *Vigil) metric(name string) *metricFlow {
	m := v.metrics[name]
	if m == nil {
		m = &metricFlow{name: name, arms: v.arms, byArm: make([]int64, len(v.arms))}
		v.metrics[name], v.order = m, append(v.order, m)
	}
	return m
}
