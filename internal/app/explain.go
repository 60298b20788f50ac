package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// Explained is one event of a unit and what an experiment made of it.
type Explained struct {
	T         int64       `json:"t"` // milliseconds UTC
	Type      ingest.Type `json:"-"`
	Topic     string      `json:"topic"`
	Partition uint16      `json:"partition"`
	Offset    int64       `json:"offset"`
	ID        string      `json:"id,omitempty"`
	What      string      `json:"what"` // the event in short
	Finding   string      `json:"finding"`
	Metrics   []string    `json:"metrics,omitempty"`
	Why       string      `json:"why"`
}

// notYet is the finding of an event that is stored and not counted yet.
const notYet = "not_yet_counted"

// ErasedUnit explains a unit of whom nothing is stored any more, instead of its events.
const ErasedUnit = "erased"

// Explain tells what became of each stored event of a unit in an experiment, and of a
// unit that is erased that it is.
func (s *Stack) Explain(ctx context.Context, v *experiment.Version, e *experiment.Experiment, unit string) ([]Explained, error) {
	key, err := UnitKey(s.Config)
	if err != nil {
		return nil, err
	}
	out := []Explained{}
	erasures, err := s.DB.ErasuresOf(ctx, key.Unit(e.UnitKind, unit))
	if err != nil {
		return nil, fmt.Errorf("read whether the unit is erased: %w", err)
	}
	for _, r := range erasures {
		why := "its rows are deleted, and nothing of it is stored or counted since then"
		if !r.Done {
			why = "nothing of it is stored or counted since then; its rows are deleted by the next assay erase run"
		}
		out = append(out, Explained{T: r.At.UnixMilli(), What: fmt.Sprintf("request %d", r.Request), Finding: ErasedUnit, Why: why})
	}
	stored, err := s.DB.UnitEvents(ctx, key.Unit(e.UnitKind, unit))
	if err != nil {
		return nil, fmt.Errorf("read the unit's events: %w", err)
	}
	var topics []string
	for _, r := range stored {
		topics = append(topics, r.Topic)
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	below, err := s.watermarks(ctx, stored)
	if err != nil {
		return nil, err
	}
	shards := map[ingest.Place]uint16{}
	var counted []ingest.Event
	for _, r := range stored {
		ev := r.Event
		ev.Place.Topic = uint8(slices.Index(topics, r.Topic))
		shards[ev.Place] = r.Shard
		if ev.Place.Offset >= below[mark{r.Shard, r.Topic}] {
			out = append(out, explained(ev, r.Topic, r.Shard, notYet, nil, "it is stored; its batch is not in the ledger yet"))
			continue
		}
		counted = append(counted, ev)
	}
	for _, st := range ingest.Explain(counted, v, e.Key) {
		p := st.Event.Place
		out = append(out, explained(st.Event, topics[p.Topic], shards[p], string(st.Finding), st.Metrics, st.Reason))
	}
	slices.SortStableFunc(out, func(a, b Explained) int { return int(min(max(a.T-b.T, -1), 1)) })
	return out, nil
}

// mark names a partition of a topic.
type mark struct {
	shard uint16
	topic string
}

// watermarks are the next offsets of the partitions that the events came from.
func (s *Stack) watermarks(ctx context.Context, stored []clickhouse.StoredEvent) (map[mark]int64, error) {
	out, seen := map[mark]int64{}, map[uint16]bool{}
	for _, r := range stored {
		if seen[r.Shard] {
			continue
		}
		seen[r.Shard] = true
		m, err := s.DB.LastMark(ctx, r.Shard)
		if err != nil {
			return nil, fmt.Errorf("read the last mark of shard %d: %w", r.Shard, err)
		}
		for _, t := range m.Topics {
			out[mark{r.Shard, t.Name}] = t.Next
		}
	}
	return out, nil
}

func explained(ev ingest.Event, topic string, shard uint16, finding string, metrics []string, why string) Explained {
	what := ev.Experiment + " " + ev.Variant
	if ev.Type == ingest.Outcome {
		what = ev.Name
	}
	return Explained{T: ev.T, Type: ev.Type, Topic: topic, Partition: shard, Offset: ev.Place.Offset, ID: ev.ID,
		What: what, Finding: finding, Metrics: metrics, Why: why}
}
