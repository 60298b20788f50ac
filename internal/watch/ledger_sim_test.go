package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// simLedger is a ledger in memory of one shard: records go through the join, whose
// deltas are summed by cell and slot.
type simLedger struct {
	nature *nature
	join   *ingest.Joiner
	next   [2]int64 // offsets, by topic
	cells  map[ingest.Cell]*simCell
	of     map[string][]*simCell // by experiment
	now    time.Time
	seq    uint64
	config uint32
}

// simCell is a cell of all slots.
type simCell struct {
	ingest.Cell
	slots map[int64]*ingest.Delta
}

const (
	topicExposures = iota
	topicOutcomes
)

func newSimLedger(n *nature, v *experiment.Version) *simLedger {
	return &simLedger{
		nature: n, join: ingest.NewJoiner([]string{"assay.exposures", "assay.outcomes"}, v),
		cells: map[ingest.Cell]*simCell{}, of: map[string][]*simCell{}, config: v.Number,
	}
}

// feed joins records of the i-th experiment. Units of different ones are different.
func (l *simLedger) feed(i int, key string, log []record) {
	start := simStart().UnixMilli()
	for _, rec := range log {
		unit := uint64(i+1)<<32 | uint64(rec.unit) // never the zero, which is nobody
		e := ingest.Event{
			Type: ingest.Outcome, T: start + rec.at, KafkaT: start + rec.at, UnitKind: "user",
			Unit: ingest.Unit{Hi: unit * 0x9e3779b97f4a7c15, Lo: unit}, Value: rec.value,
		}
		topic := topicOutcomes
		if rec.outcome == exposed {
			topic = topicExposures
			e.Type, e.Experiment, e.Variant = ingest.Exposure, key, simArms()[rec.arm]
		} else {
			e.Name = l.nature.outcomes[rec.outcome].event
		}
		e.Place = ingest.Place{Topic: uint8(topic), Offset: l.next[topic]}
		l.next[topic]++
		l.join.Add(&e)
	}
}

// commit takes the deltas in, as the shard's next part.
func (l *simLedger) commit(now time.Time) {
	l.now = now
	l.seq++
	for _, row := range l.join.Take() {
		key := row.Cell
		key.Slot = 0
		c := l.cells[key]
		if c == nil {
			c = &simCell{Cell: key, slots: map[int64]*ingest.Delta{}}
			l.cells[key], l.of[key.Experiment] = c, append(l.of[key.Experiment], c)
		}
		d := c.slots[row.Slot]
		if d == nil {
			d = new(ingest.Delta)
			c.slots[row.Slot] = d
		}
		d.Add(row.Delta)
	}
}

// total adds up the slots that start before the time.
func (c *simCell) total(before int64) (d ingest.Delta) {
	for slot, s := range c.slots {
		if slot < before {
			d.Add(*s)
		}
	}
	return d
}

func (l *simLedger) Statuses(context.Context) ([]results.ShardStatus, error) {
	return []results.ShardStatus{{Seq: l.seq, Freshness: l.now, Config: l.config, State: "ok", At: l.now}}, nil
}

func (l *simLedger) Moments(_ context.Context, queries []Query) (results.Moments, error) {
	m := results.Moments{Vector: map[uint16]uint64{0: l.seq}, Config: map[uint16]uint32{0: l.config}}
	for _, q := range queries {
		for _, c := range l.of[q.Experiment] {
			if c.Iteration != q.Iteration {
				return m, fmt.Errorf("%s has a cell of iteration %d", q.Experiment, c.Iteration)
			}
			open := c.total(l.now.UnixMilli() + 1)
			cell := results.Cell{
				Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling, Variant: c.Variant,
				Metric: c.Metric, Value: c.Value, Newest: time.UnixMilli(open.Newest).UTC(), Open: simSums(&open),
			}
			if horizon, ok := q.Matured[c.Metric]; ok {
				matured := c.total(horizon.UnixMilli())
				cell.Matured = simSums(&matured)
			}
			m.Cells = append(m.Cells, cell)
		}
	}
	return m, nil
}

func simSums(d *ingest.Delta) results.Sums {
	return results.Sums{
		N: d.N, NonZero: d.NonZero, Over: d.Over, Sum: d.Sum.Big(), SumSquares: d.SumSquares.Big(),
		SumDenominator: d.SumDenominator.Big(), SumSquaresDenominator: d.SumSquaresDenominator.Big(), SumProduct: d.SumProduct.Big(),
	}
}
