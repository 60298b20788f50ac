package main

import (
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// path is the engine's own way from events to verdicts, with a ledger in memory:
// the join, its deltas summed as the ledger sums them, the document of a look,
// what a guardrail observes and its step.
type path struct {
	v      *experiment.Version
	e      *experiment.Experiment
	it     *experiment.Iteration
	join   *ingest.Joiner
	next   [2]int64 // offsets, by topic
	sums   map[ingest.Cell]*account
	rules  []guardrails.Rule
	states []guardrails.State
	alarms []guardrails.Alarm
	seq    uint64
}

// account is one cell of the ledger without its slots.
type account struct {
	open, matured ingest.Delta
	young         map[int64]*ingest.Delta // by slot
}

func newPath(v *experiment.Version) *path {
	e := &v.Experiments[0]
	it := &e.Iterations[0]
	rules := guardrails.Rules(e, it)
	return &path{
		v: v, e: e, it: it, join: ingest.NewJoiner([]string{"assay.exposures", "assay.outcomes"}, v),
		sums: map[ingest.Cell]*account{}, rules: rules, states: make([]guardrails.State, len(rules)),
	}
}

// feed joins records.
func (p *path) feed(w *world, log []record) {
	start := begin().UnixMilli()
	var segment []ingest.Attr
	for i := range log {
		rec := &log[i]
		e := ingest.Event{
			Type: ingest.Outcome, T: start + rec.at, KafkaT: start + rec.arrives, UnitKind: "user",
			Unit: unitOf(rec.unit),
			Name: rec.name, Value: rec.value,
		}
		topic := topicDone
		if rec.seen {
			topic = topicSeen
			e.Type, e.Experiment, e.Variant, e.Name = ingest.Exposure, p.e.Key, arms[rec.arm], ""
			if w.segments != nil {
				segment = []ingest.Attr{{Name: "segment", Value: w.segments[int(rec.unit)%len(w.segments)]}}
				e.Attrs = segment
			}
		}
		if rec.id != 0 {
			e.ID = fmt.Sprint(rec.id)
		}
		e.Place = ingest.Place{Topic: uint8(topic), Offset: p.next[topic]}
		p.next[topic]++
		p.join.Add(&e)
	}
}

// unitOf is a unit's hash, spread as the join's index needs it, but within one of the
// join's sixteen segments: pages of the others would only be cleared for every replicate.
func unitOf(n int32) ingest.Unit {
	const odd, other = 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9 // multiplying by an odd number loses nothing
	return ingest.Unit{Hi: uint64(n+1) * odd >> 4, Lo: uint64(n+1) * other}
}

// commit takes the join's deltas into the sums, as one part of the ledger.
func (p *path) commit() {
	p.seq++
	for _, row := range p.join.Take() {
		slot := row.Slot
		row.Slot = 0
		a := p.sums[row.Cell]
		if a == nil {
			a = &account{young: map[int64]*ingest.Delta{}}
			p.sums[row.Cell] = a
		}
		plus(&a.open, &row.Delta)
		d := a.young[slot]
		if d == nil {
			d = new(ingest.Delta)
			a.young[slot] = d
		}
		plus(d, &row.Delta)
	}
}

// moments are what the look's query would return.
func (p *path) moments(statuses []results.ShardStatus) results.Moments {
	horizons := results.Maturity(p.e, p.it, statuses)
	m := results.Moments{
		Vector: map[uint16]uint64{0: p.seq}, Config: map[uint16]uint32{0: 1}, Cells: make([]results.Cell, 0, len(p.sums)),
	}
	for c, a := range p.sums {
		// A slot once matured gets nothing more: each world's windows are over by then.
		if horizon, ok := horizons[c.Metric]; ok {
			a.ripen(horizon.UnixMilli())
		}
		m.Cells = append(m.Cells, results.Cell{
			Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling, Variant: c.Variant,
			Metric: c.Metric, Dimension: c.Dimension, Value: c.Value, Newest: time.UnixMilli(a.open.Newest).UTC(),
			Open: exact(&a.open), Matured: exact(&a.matured),
		})
	}
	return m
}

// ripen moves slots that start before the horizon.
func (a *account) ripen(horizon int64) {
	for slot, d := range a.young {
		if slot < horizon {
			plus(&a.matured, d)
			delete(a.young, slot)
		}
	}
}

func plus(to, d *ingest.Delta) {
	to.N, to.NonZero, to.Over = to.N+d.N, to.NonZero+d.NonZero, to.Over+d.Over
	to.Sum, to.SumSquares = to.Sum.Add(d.Sum), to.SumSquares.Add(d.SumSquares)
	to.SumDenominator = to.SumDenominator.Add(d.SumDenominator)
	to.SumSquaresDenominator = to.SumSquaresDenominator.Add(d.SumSquaresDenominator)
	to.SumProduct = to.SumProduct.Add(d.SumProduct)
	to.Newest = max(to.Newest, d.Newest)
}

func exact(d *ingest.Delta) results.Sums {
	return results.Sums{
		N: d.N, NonZero: d.NonZero, Over: d.Over, Sum: d.Sum.Big(), SumSquares: d.SumSquares.Big(),
		SumDenominator: big0(d.SumDenominator), SumSquaresDenominator: big0(d.SumSquaresDenominator), SumProduct: big0(d.SumProduct),
	}
}

// big0 leaves out what only ratios have.
func big0(v ingest.Int128) *big.Int {
	if v.IsZero() {
		return nil
	}
	return v.Big()
}

// look is everything that one look shows.
type look struct {
	world      *world
	experiment *experiment.Experiment
	doc        *results.Document
	verdicts   []guardrails.Verdict
	raised     []guardrails.Alarm // sample-ratio alarms so far
	units      int                // entered so far
	last       bool
	differs    bool // from the sums without duplicates; known in the last look
}

// look judges the ledger as it stands.
func (p *path) look(at time.Time) look {
	statuses := []results.ShardStatus{{Seq: p.seq, Freshness: at, Config: 1, State: "ok", At: at}}
	doc := results.Compute(p.v, p.e, 1, p.moments(statuses), statuses, at, results.Options{Kind: results.KindFull})
	p.alarms, _ = guardrails.StepSRM(p.alarms, guardrails.Splits(&doc), at)
	out := look{experiment: p.e, doc: &doc, raised: p.alarms, verdicts: make([]guardrails.Verdict, len(p.rules))}
	for i, rule := range p.rules {
		p.states[i], out.verdicts[i] = guardrails.Step(rule, p.states[i], guardrails.Observe(&doc, rule, p.alarms))
	}
	return out
}

// same tells whether two paths hold the same sums, bit for bit.
func (p *path) same(o *path) bool {
	return maps.EqualFunc(p.sums, o.sums, func(a, b *account) bool {
		return a.open == b.open && a.matured == b.matured
	})
}
