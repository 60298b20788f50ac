package clickhouse

import (
	"context"
	"fmt"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// LookHead is a look without its document.
type LookHead struct {
	ID         string
	Experiment string
	Iteration  uint32
	Kind       LookKind
	At         time.Time
	Verdict    string
}

// NewestLooks are the heads of the newest look of each experiment and kind, as far as
// they are from a time on. From the zero time on it reads the whole table.
func (db *DB) NewestLooks(ctx context.Context, since time.Time) ([]LookHead, error) {
	from := int64(0)
	if !since.IsZero() {
		from = since.UnixMilli()
	}
	return collect(ctx, db, "look_heads", args{"since": from}, func(rows native.Rows, h *LookHead) error {
		var kind string
		err := rows.Scan(&h.ID, &h.Experiment, &h.Iteration, &kind, &h.At, &h.Verdict)
		h.Kind = LookKind(kind)
		return err
	})
}

// Documents are those of some looks, by their ids. A look that has expired meanwhile is
// not among them.
func (db *DB) Documents(ctx context.Context, heads []LookHead) (map[string][]byte, error) {
	if len(heads) == 0 {
		return nil, nil
	}
	from, to := heads[0].At, heads[0].At
	var experiments, ids []string
	for _, h := range heads {
		experiments, ids = append(experiments, h.Experiment), append(ids, h.ID)
		if h.At.Before(from) {
			from = h.At
		}
		if h.At.After(to) {
			to = h.At
		}
	}
	type document struct {
		id   string
		body []byte
	}
	all, err := collect(ctx, db, "look_documents", args{
		"experiments": experiments, "ids": ids, "from": from.UnixMilli(), "to": to.UnixMilli(),
	}, func(rows native.Rows, d *document) error { return rows.Scan(&d.id, &d.body) })
	if err != nil {
		return nil, fmt.Errorf("read the documents of %d looks: %w", len(heads), err)
	}
	out := make(map[string][]byte, len(all))
	for _, d := range all {
		out[d.id] = d.body
	}
	return out, nil
}
