package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// eventRow is a row of events as the queries return it.
type eventRow struct {
	topic         string
	kind          uint8
	names, values []string
	event         ingest.Event
}

// targets are where to scan the columns that all event queries begin with.
func (r *eventRow) targets() []any {
	e := &r.event
	return []any{
		&r.topic, &e.Place.Offset, &e.T, &e.KafkaT, &r.kind, &e.UnitKind,
		&e.Unit.Hi, &e.Unit.Lo, &e.ID, &e.Experiment, &e.Variant, &e.Name,
		&e.Value.Hi, &e.Value.Lo, &r.names, &r.values, &e.Misplaced,
		&e.Origin.Partition, &e.Origin.Offset,
	}
}

// finish fills in what is not scanned directly.
func (r *eventRow) finish() {
	r.event.Type = ingest.Type(r.kind)
	if o := &r.event.Origin; o.Partition < 0 {
		*o = ingest.Origin{}
	} else {
		o.Copied = true
	}
	r.event.Attrs = nil
	for i := range r.names {
		r.event.Attrs = append(r.event.Attrs, ingest.Attr{Name: r.names[i], Value: r.values[i]})
	}
}

// EventsBelow hands the shard's stored events below the given offsets to fn,
// ordered by unit, t, topic and offset, each place once. Place.Topic is the
// index of the topic among the names in next, sorted. fn may keep the event's
// strings but not the pointer. An error of fn, or of the connection once fn was
// called, ends the reading: the caller begins anew. All come from one run of the server.
func (db *DB) EventsBelow(ctx context.Context, shard uint16, next map[string]int64, fn func(*ingest.Event) error) error {
	return db.ranges(ctx, "events_below", args{"shard": shard}, next, fn)
}

// UnitsStored hands over the units that a shard has stored events of, also of events
// that no mark counts yet, in no order. One may come many times.
func (db *DB) UnitsStored(ctx context.Context, shard uint16, fn func(ingest.Unit)) error {
	params := args{"shard": shard}
	text, err := statement("units_stored")
	if err != nil {
		return err
	}
	if db, err = db.holding(ctx, params); err != nil {
		return err
	}
	var column proto.ColUInt128
	var before proto.UInt128
	err = db.retry(ctx, "query units_stored", func(ctx context.Context) error {
		return db.columns(ctx, text, params, proto.Results{{Name: "unit", Data: &column}}, func() error {
			for i, u := range column {
				if i == 0 || u != before { // within a part they are sorted
					fn(ingest.Unit{Hi: u.High, Lo: u.Low})
				}
				before = u
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read units of shard %d: %w", shard, err)
	}
	return nil
}

// EventsOf is EventsBelow for some units only.
func (db *DB) EventsOf(ctx context.Context, shard uint16, units []ingest.Unit, next map[string]int64, fn func(*ingest.Event) error) error {
	if len(units) == 0 {
		return nil
	}
	ids := list(units, func(u ingest.Unit) string { return wide(u).String() })
	return db.events(ctx, "events_of", args{"shard": shard, "units": ids}, next, fn)
}

// EventsRecent is EventsBelow for the units that have a record not so much older than the
// newest one below the offsets.
func (db *DB) EventsRecent(ctx context.Context, shard uint16, next map[string]int64, within time.Duration, fn func(*ingest.Event) error) error {
	params := args{"shard": shard}
	_ = bind(params, next)
	newest, _, err := one(ctx, db, "newest_record", params, func(rows native.Rows, t *int64) error { return rows.Scan(t) })
	if err != nil {
		return err
	}
	params["since"] = newest - within.Milliseconds()
	return db.ranges(ctx, "events_recent", params, next, fn)
}

// seenAtMost is of how many exposures the server is to know the units while it reads;
// they take some tens of bytes each.
const seenAtMost = 2_000_000

// EventsSeen is EventsBelow for the units that have an exposure of some experiments;
// where these are very many, for all.
func (db *DB) EventsSeen(ctx context.Context, shard uint16, experiments []string, next map[string]int64, fn func(*ingest.Event) error) error {
	params := args{"shard": shard, "experiments": experiments}
	n, _, err := one(ctx, db, "exposures_of", params, func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	switch {
	case err != nil:
		return err
	case n > seenAtMost:
		return db.EventsBelow(ctx, shard, next, fn)
	}
	return db.events(ctx, "events_seen", params, next, fn)
}

// wide is a unit as a number.
func wide(u ingest.Unit) *big.Int {
	id := ingest.Int128{Lo: u.Hi}.Big()
	id.Lsh(id, 64)
	return id.Add(id, ingest.Int128{Lo: u.Lo}.Big())
}

// bind sets the parameters that say where marks end. It returns the topics' indexes.
func bind(params args, next map[string]int64) (index map[string]uint8) {
	topics := slices.Sorted(maps.Keys(next))
	index = map[string]uint8{}
	ends := make([]int64, len(topics))
	for i, name := range topics {
		index[name], ends[i] = uint8(i), next[name]
	}
	params["topics"], params["next"] = topics, ends
	return index
}

// events reads what a query gives in the order of the sorting key.
func (db *DB) events(ctx context.Context, query string, params args, next map[string]int64, fn func(*ingest.Event) error) error {
	text, err := statement(query)
	if err == nil && len(next) > 0 {
		err = db.ordered(ctx, query, text, params, next, fn)
	}
	return err
}

// ordered reads what a text gives in that order.
func (db *DB) ordered(ctx context.Context, query, text string, params args, next map[string]int64, fn func(*ingest.Event) error) error {
	index := bind(params, next)
	once, read := eachOnce(fn)
	block := newEventBlock()
	db, err := db.holding(ctx, params)
	if err != nil {
		return err
	}
	err = db.retry(ctx, "query "+query, func(ctx context.Context) error {
		err := db.columns(ctx, text, params, block.results(), func() error { return block.each(index, once) })
		if err != nil && *read { // what fn has seen cannot be taken back
			return final{err}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read events of shard %d: %w", params["shard"], err)
	}
	return nil
}

// eachOnce leaves out repeated places. It tells whether fn was ever called.
func eachOnce(fn func(*ingest.Event) error) (once func(*ingest.Event) error, read *bool) {
	var before ingest.Event // of which only the sorting key is filled in
	read = new(bool)
	return func(e *ingest.Event) error {
		// A place that was written twice has two equal sorting keys.
		if *read && e.Place == before.Place && e.Unit == before.Unit && e.T == before.T {
			return nil
		}
		before.Place, before.Unit, before.T, *read = e.Place, e.Unit, e.T, true
		return fn(e)
	}, read
}

// UnitEvents is everything that is stored of a unit, ordered by t, topic and
// offset, each place once. Place.Topic is 0; see StoredEvent.Topic.
func (db *DB) UnitEvents(ctx context.Context, unit ingest.Unit) ([]StoredEvent, error) {
	return collect(ctx, db, "unit_events", args{"unit": wide(unit).String()}, func(rows native.Rows, s *StoredEvent) error {
		var row eventRow
		if err := rows.Scan(append(row.targets(), &row.event.Decode, &s.Shard)...); err != nil {
			return err
		}
		row.finish()
		s.Event, s.Topic = row.event, row.topic
		return nil
	})
}

// DeadAt is the dead letter at a place, or ErrNotFound. Place.Topic is 0.
func (db *DB) DeadAt(ctx context.Context, place Place) (ingest.Dead, error) {
	params := args{"topic": place.Topic, "shard": place.Shard, "offset": place.Offset}
	d, found, err := one(ctx, db, "dead_at", params, func(rows native.Rows, d *ingest.Dead) error {
		var reason string
		var size uint32
		var position int32
		err := rows.Scan(&d.Place.Offset, &d.KafkaT, &reason, &size, &position, &d.Detail)
		d.Reason, d.Size, d.Position = ingest.Reason(reason), int(size), int(position)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("dead letter at %s/%d/%d: %w", place.Topic, place.Shard, place.Offset, ErrNotFound)
	}
	return d, err
}
