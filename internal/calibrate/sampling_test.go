package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

var samplings = flag.Int("samplings", 10, "replicates of each scenario of TestSampling")

// sampledWorld is an experiment that measures some of its units, as its clients see it:
// they draw as docs/sampling.md says, log what they are to, and everything goes through
// the decoder, the join and the look.
type sampledWorld struct {
	units   int // that are shown a variant, all phases together
	samples []float64
	shares  []float64 // the treatment's, by phase
	base    []float64 // a unit's expected total, by phase
	effect  float64   // relative
	// keeps is the share that a client of an arm keeps, and carries whether it says so. nil:
	// the phase's.
	keeps   func(arm, phase int) float64
	carries bool
	quiet   bool // outcomes of units that are not measured are not sent: they change nothing
}

const sampledSpan = 6 * time.Hour // of a phase

func (w *sampledWorld) version(salt uint64) *experiment.Version {
	start := begin()
	n := time.Duration(len(w.samples))
	it := experiment.Iteration{
		Number: 1, Start: start, EnrolUntil: start.Add(n * sampledSpan), End: start.Add(n*sampledSpan + 48*time.Hour), Salt: fmt.Sprint("s", salt),
		Metrics: []experiment.Metric{{Name: "spend", Event: "buy", Kind: experiment.Mean, Direction: experiment.Increase, Decimals: 2}},
	}
	for i, s := range w.samples {
		if s == 1 {
			s = 0
		}
		it.Phases = append(it.Phases, experiment.Phase{Number: uint16(i + 1), From: start.Add(time.Duration(i) * sampledSpan),
			Shares: []float64{1 - w.shares[i], w.shares[i]}, Traffic: 1, Sample: s})
	}
	return &experiment.Version{Number: 1, Experiments: []experiment.Experiment{{
		Key: "simulated", UnitKind: "user", Control: arms[0], Window: experiment.Duration(time.Hour), Crossovers: experiment.Exclude,
		Variants: []experiment.Variant{{Key: arms[0], Share: 1 - w.shares[0]}, {Key: arms[1], Share: w.shares[0]}},
		Alpha:    alpha, PlannedUnits: int64(w.units), Goals: []string{"spend"}, Iterations: []experiment.Iteration{it},
	}}}
}

// sampledRun is what one replicate shows.
type sampledRun struct {
	doc      *results.Document
	srm      bool    // it was alarmed about in some look
	uneven   bool    // a rule was blind by uneven loss in some look
	at       int     // units shown until then
	measured float64 // share of all
	all      [2]float64
}

func (w *sampledWorld) run(t *testing.T, seed uint64) sampledRun {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	v := w.version(seed)
	e := &v.Experiments[0]
	it := &e.Iterations[0]
	p := newPath(v)
	d := ingest.NewDecoder(ingest.Key{1}, nil)
	d.Check(func(x *ingest.Event, unit []byte) (string, string) {
		return "", string(assignment.CheckSample(e, assignment.Seen{At: time.UnixMilli(x.T), Unit: string(unit), UnitKind: x.UnitKind, Variant: x.Variant}, x.Sample))
	})
	send := func(topic uint8, text string) {
		x, why, ok := d.Decode(ingest.Record{Place: ingest.Place{Topic: topic, Offset: p.next[topic]}, KafkaT: -1, Value: []byte(text)})
		if !ok {
			t.Fatalf("%s: %+v", text, why)
		}
		p.next[topic]++
		p.join.Add(&x)
	}
	out := sampledRun{}
	rule := guardrails.Rule{Experiment: e.Key, Iteration: 1, Metric: "spend", Arm: arms[1], Control: arms[0]}
	look := func(at time.Time, shown int) {
		p.commit()
		got := p.look(at)
		out.doc = got.doc
		if !out.srm && len(got.raised) > 0 {
			out.srm, out.at = true, shown
		}
		for _, tr := range guardrails.Observe(got.doc, rule, nil).Troubles {
			if !out.uneven && tr.Reason == guardrails.UnevenLoss {
				out.uneven, out.at = true, shown
			}
		}
	}
	span := sampledSpan.Milliseconds() * int64(len(w.samples))
	const looks = 20
	measured, sums, counts := 0, [2]float64{}, [2]float64{}
	for n := range w.units {
		at := begin().UnixMilli() + span*int64(n)/int64(w.units)
		phase := it.PhaseAt(time.UnixMilli(at).UTC())
		k := int(phase.Number) - 1
		unit := fmt.Sprintf("u%d", n)
		arm := 0
		if r.Float64() < w.shares[k] {
			arm = 1
		}
		keep := w.samples[k]
		if w.keeps != nil {
			keep = w.keeps(arm, k)
		}
		carried := ""
		if w.carries {
			carried = fmt.Sprintf(`,"sample":%g`, keep)
		}
		kept := assignment.Draw(e.SaltOf(it), assignment.Sample, "user", unit) < experiment.PartsOf(keep)
		if kept {
			measured++
			send(0, fmt.Sprintf(`{"type":"exposure","ts":%d,"unit":%q,"experiment":"simulated","variant":%q%s}`, at, unit, arms[arm], carried))
		}
		// A unit's total: how often it buys differs, and so do amounts. Outcomes come of all.
		mean := w.base[k]
		if arm == 1 {
			mean *= 1 + w.effect
		}
		total := 0.0
		for range 1 + r.IntN(3) {
			x := math.Round(r.ExpFloat64()*mean*50) / 100
			total += x
			if w.quiet && !kept {
				continue
			}
			send(1, fmt.Sprintf(`{"type":"outcome","ts":%d,"unit":%q,"event":"buy","value":%.2f}`, at+int64(r.IntN(3_000_000)), unit, x))
		}
		sums[arm], counts[arm] = sums[arm]+total, counts[arm]+1
		if n%(w.units/looks) == 0 {
			look(time.UnixMilli(at+1), n)
		}
	}
	look(begin().Add(time.Duration(span)*time.Millisecond+3*time.Hour), w.units)
	out.measured = float64(measured) / float64(w.units)
	out.all = [2]float64{sums[0] / counts[0], sums[1] / counts[1]}
	return out
}

// pooled is what the effect would be if phases were added up, with its interval.
func pooled(d *results.Document) (effect, half float64) {
	var n, sum, squares [2]float64
	for _, c := range d.Cells {
		if c.Metric != "spend" || c.Settling {
			continue
		}
		a := slices.Index(arms, c.Variant)
		var s, q float64
		_, _ = fmt.Sscan(c.Matured.Sum, &s)
		_, _ = fmt.Sscan(c.Matured.SumSquares, &q)
		n[a], sum[a], squares[a] = n[a]+float64(c.Matured.N), sum[a]+s/100, squares[a]+q/10_000
	}
	var mean, v [2]float64
	for a := range n {
		mean[a] = sum[a] / n[a]
		v[a] = (squares[a]/n[a] - mean[a]*mean[a]) / n[a]
	}
	return mean[1] - mean[0], 1.96 * math.Sqrt(v[0]+v[1])
}

// weighed is the control's mean of all units: each phase's, weighed by its units divided
// by the share that was measured.
func weighed(d *results.Document) float64 {
	var above, below float64
	for _, c := range d.Cells {
		if c.Metric != "spend" || c.Variant != arms[0] {
			continue
		}
		share := 1.0
		for _, p := range d.Phases {
			if p.Number == c.Phase && p.Sample > 0 {
				share = p.Sample
			}
		}
		var s float64
		_, _ = fmt.Sscan(c.Matured.Sum, &s)
		above, below = above+s/100/share, below+float64(c.Matured.N)/share
	}
	return above / below
}

// rate is a share of replicates with its Monte-Carlo error.
type rate struct{ k, n int }

func (r *rate) add(yes bool) {
	r.n++
	if yes {
		r.k++
	}
}

func (r rate) of() float64 { return float64(r.k) / float64(r.n) }
func (r rate) String() string {
	return fmt.Sprintf("%.3f ± %.3f", r.of(), math.Sqrt(r.of()*(1-r.of())/float64(r.n)))
}

// mean adds numbers up.
type mean struct{ n, sum, squares float64 }

func (m *mean) add(x float64) { m.n, m.sum, m.squares = m.n+1, m.sum+x, m.squares+x*x }
func (m *mean) of() float64   { return m.sum / m.n }
func (m *mean) se() float64 {
	return math.Sqrt(math.Max(0, m.squares/m.n-m.of()*m.of()) / (m.n - 1))
}
func (m *mean) String() string { return fmt.Sprintf("%.4f ± %.4f", m.of(), m.se()) }

// atMost tells whether a rate may be p or less, by five Monte-Carlo errors.
func (r rate) atMost(p float64) bool { return r.of() <= p+5*math.Sqrt(p*(1-p)/float64(r.n)) }

func (r rate) near(p float64) bool {
	return math.Abs(r.of()-p) <= 5*math.Sqrt(p*(1-p)/float64(r.n))
}

// TestSampling: with a tenth of the units nothing is biased and nobody is alarmed, also
// when clients of one arm log everybody; a loss in one arm is found, at once where clients
// say what they keep; phases of unlike shares are right by themselves and wrong as one.
// docs/sampling.md has the figures of more replicates (-samplings).
func TestSampling(t *testing.T) {
	tenth := sampledWorld{units: 20_000, samples: []float64{0.1}, shares: []float64{0.5}, base: []float64{5}, effect: 0.05}
	ignores, loses, tells, old := tenth, tenth, tenth, tenth
	ignores.keeps = func(arm, _ int) float64 { return []float64{0.1, 1}[arm] }
	loses.units, loses.quiet = 100_000, true
	loses.keeps = func(arm, _ int) float64 { return []float64{0.1, 0.08}[arm] }
	tells.keeps, tells.carries, tells.quiet = loses.keeps, true, true
	old.quiet = true
	old.keeps, old.carries = func(int, int) float64 { return 0.08 }, true
	unlike := sampledWorld{units: 20_000, samples: []float64{1, 0.1}, shares: []float64{0.1, 0.5}, base: []float64{5, 8}}
	whole := tenth
	whole.samples = []float64{1}
	for i, s := range []struct {
		name       string
		world      sampledWorld
		calm, hurt bool // nobody may be alarmed; the loss must be found
	}{
		{"everybody is measured", whole, true, false},
		{"a tenth", tenth, true, false},
		{"a tenth, and the treatment's clients log everybody", ignores, true, false},
		{"the treatment keeps 8 % and does not say so", loses, false, false},
		{"the treatment keeps 8 % and says so", tells, false, true},
		{"both keep 8 % and say so", old, true, false},
		{"everybody at 10:90, then a tenth at 50:50, of other people", unlike, true, false},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var srm, uneven, covered, ever, together rate
			var effect, level, of, se, poolEffect, first, truth mean
			for k := range *samplings {
				r := s.world.run(t, uint64(i)<<32|uint64(k))
				srm.add(r.srm)
				uneven.add(r.uneven)
				of.add(r.measured)
				if r.uneven || r.srm {
					first.add(float64(r.at))
				}
				c := r.doc.Comparisons[0].Matured
				want := s.world.base[0] * s.world.effect
				in := func(x results.Interval) bool { return x.Low.Float() <= want && want <= x.High.Float() }
				effect.add(c.Absolute.Estimate.Float())
				se.add(c.Absolute.StdError.Float())
				covered.add(in(c.Absolute.Fixed))
				ever.add(in(c.Absolute.Sequential))
				level.add(weighed(r.doc))
				truth.add(r.all[0])
				e, half := pooled(r.doc)
				poolEffect.add(e)
				together.add(math.Abs(e-want) <= half)
			}
			t.Logf("%s, %d replicates of %d units, %s kept by clients: effect %s (true %.3g, standard error %.4f), covered %s, by the interval of every look %s; mean of control %s (of all units %s); as one phase %s, covered %s; split alarmed %s, uneven loss %s, after %.0f units",
				s.name, *samplings, s.world.units, &of, &effect, s.world.base[0]*s.world.effect, se.of(), covered, ever, &level, &truth, &poolEffect, together, srm, uneven, first.of())
			if !covered.near(0.95) || math.Abs(effect.of()-s.world.base[0]*s.world.effect) > 5*effect.se() {
				t.Errorf("effect %s, covered %s", &effect, covered)
			}
			if math.Abs(level.of()-truth.of()) > 5*level.se() {
				t.Errorf("mean of control %s, of all units %s", &level, &truth)
			}
			switch {
			case s.calm && (!srm.atMost(0.01) || !uneven.atMost(0.01)):
				t.Errorf("split alarmed %s, uneven loss %s", srm, uneven)
			case !s.calm && !s.hurt && srm.of() < 0.5:
				t.Errorf("the split shows a loss in %s", srm)
			case s.hurt && uneven.of() < 1:
				t.Errorf("the loss is found in %s", uneven)
			}
			if len(s.world.samples) > 1 && together.of() > 0.1 {
				t.Errorf("as one phase it is covered in %s", together)
			}
		})
	}
}
