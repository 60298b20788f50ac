package app

import (
	"context"
	"errors"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// store is the database as a consumer sees it. The two packages do not know one
// another; what they call by the same name is translated here.
type store struct{ *clickhouse.DB }

// Store makes a database what a consumer needs.
func Store(db *clickhouse.DB) kafka.Store { return store{db} }

// LastMark implements kafka.Ledger.
func (s store) LastMark(ctx context.Context, shard uint16) (kafka.Mark, error) {
	m, err := s.DB.LastMark(ctx, shard)
	if err != nil {
		return kafka.Mark{}, err
	}
	out := kafka.Mark{Seq: m.Seq, Config: m.Config, Partitions: m.Partitions}
	for _, t := range m.Topics {
		out.Topics = append(out.Topics, kafka.TopicMark{Topic: kafka.Topic(t.Topic), Next: t.Next, Epoch: t.Epoch})
	}
	return out, nil
}

// AppendPart implements kafka.Ledger.
func (s store) AppendPart(ctx context.Context, topics []kafka.Topic, part ingest.Part) (kafka.Appended, error) {
	named := make([]clickhouse.Topic, len(topics))
	for i, t := range topics {
		named[i] = clickhouse.Topic(t)
	}
	a, err := s.DB.AppendPart(ctx, named, part)
	switch a {
	case clickhouse.Committed:
		return kafka.Committed, err
	case clickhouse.Lost:
		return kafka.Lost, err
	default:
		return kafka.Unknown, err
	}
}

// CheckChain implements kafka.Ledger.
func (s store) CheckChain(ctx context.Context, shards []uint16) (map[uint16]string, error) {
	faults, err := s.CheckChainOf(ctx, shards)
	if err != nil {
		return nil, err
	}
	return faultsByShard(faults), nil
}

// faultsByShard puts them into words.
func faultsByShard(faults []clickhouse.ChainFault) map[uint16]string {
	out := make(map[uint16]string, len(faults))
	for _, f := range faults {
		out[f.Shard] = f.String()
	}
	return out
}

// Ends implements kafka.Ledger.
func (s store) Ends(ctx context.Context, shards []uint16) (map[uint16]uint64, error) {
	heads, err := s.HeadsOf(ctx, shards)
	out := make(map[uint16]uint64, len(heads))
	for _, h := range heads {
		out[h.Shard] = h.Seq
	}
	return out, err
}

// Reconciled implements kafka.Ledger. A part that does not begin where the one
// before ended leaves an offset at least without a fate, or gives it two.
func (s store) Reconciled(ctx context.Context) ([]kafka.Reconciled, error) {
	all, err := s.Reconcile(ctx)
	out := make([]kafka.Reconciled, len(all))
	for i, r := range all {
		out[i] = kafka.Reconciled{Shard: r.Shard, Topic: r.Topic, Difference: unaccounted(&r)}
	}
	return out, err
}

// NewRows implements kafka.Events.
func (s store) NewRows(shard uint16, topics []string) kafka.Rows {
	return s.NewEventRows(shard, topics)
}

// Missing implements kafka.Events.
func (s store) Run(ctx context.Context, shard uint16) (kafka.Run, error) {
	r, err := s.ServerRun(ctx, shard)
	return kafka.Run(r), err
}

func (s store) Missing(ctx context.Context, shard uint16, marks int) ([]kafka.Range, error) {
	lacking, err := s.DB.Missing(ctx, shard, marks)
	if err != nil {
		return nil, err
	}
	var out []kafka.Range
	for _, l := range lacking {
		if l.Events > 0 || l.Dead > 0 { // more rows than were counted cannot be read again
			out = append(out, kafka.Range{Topic: l.Topic, From: l.From, Next: l.Next, ID: l.ID, Seq: l.Seq, Config: l.Config, Decode: l.Decode,
				Records: uint64(max(0, l.Events) + max(0, l.Dead))})
		}
	}
	return out, nil
}

// Suppressed implements kafka.Erasures.
func (s store) Suppressed(ctx context.Context, after, upTo uint64) ([]kafka.Suppression, error) {
	all, err := s.DB.Suppressed(ctx, after, upTo)
	out := make([]kafka.Suppression, len(all))
	for i, x := range all {
		out[i] = kafka.Suppression{Request: x.Seq, Retract: x.Retract, Units: x.Units}
	}
	return out, err
}

// NoteAdjustments implements kafka.Erasures.
func (s store) NoteAdjustments(ctx context.Context, shard uint16, adjustments []kafka.Adjustment) error {
	out := make([]clickhouse.Adjustment, len(adjustments))
	for i, a := range adjustments {
		out[i] = clickhouse.Adjustment(a)
	}
	return s.DB.NoteAdjustments(ctx, shard, out)
}

// NoteLosses implements kafka.Events.
func (s store) NoteLosses(ctx context.Context, shard uint16, losses []kafka.Loss) error {
	out := make([]clickhouse.Loss, len(losses))
	for i, l := range losses {
		out[i] = clickhouse.Loss{Kind: clickhouse.LossKind(l.Kind), Shard: shard, Topic: l.Topic, From: l.From, Next: l.Next,
			Seq: l.Seq, Records: l.Records, Until: l.Until}
	}
	return s.DB.NoteLosses(ctx, out)
}

// Decodings implements kafka.Decodings.
func (s store) Decodings(ctx context.Context, after uint32) ([]kafka.Decoding, error) {
	all, err := s.DB.Decodings(ctx, after)
	if err != nil {
		return nil, err
	}
	out := make([]kafka.Decoding, 0, len(all))
	for _, d := range all {
		out = append(out, kafka.Decoding(d))
	}
	return out, nil
}

// AppendDecoding implements kafka.Decodings.
func (s store) AppendDecoding(ctx context.Context, d kafka.Decoding) (bool, error) {
	err := s.DB.AppendDecoding(ctx, clickhouse.Decoding(d))
	if errors.Is(err, clickhouse.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}
