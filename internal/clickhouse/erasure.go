package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// Suppression is a request of erasure with its units.
type Suppression struct {
	Seq     uint64 // its number in the decision log
	Request string // its id
	Retract bool
	Units   []ingest.Unit
}

// Adjustment is what units that are erased had given to the sums of a shard, before
// the part that adopted the request.
type Adjustment struct {
	Seq     uint64 // of that part
	Request uint64
	Rows    []ingest.Row
}

// Erased is how many places of a topic erasure takes from what one part counted.
type Erased struct {
	Topic                          string
	Seq, Attempt                   uint64 // of the part
	Accepted, Duplicate, Misplaced uint64
}

// Suppress writes down whom a request is about. It holds from the version on that
// names the request's line in the decision log; without such a line it is nothing.
func (db *DB) Suppress(ctx context.Context, request, kind string, units []ingest.Unit) error {
	var requests text
	var unit, at fixed
	var kinds words
	now := time.Now().UnixMilli()
	for _, u := range units {
		requests.add(request)
		unit.wide(u.Hi, u.Lo)
		kinds.add(kind)
		at.int64(now)
	}
	return db.retry(idempotent(ctx), "insert suppressed units", func(ctx context.Context) error {
		return db.insert(ctx, "suppressed", []field{{"request", &requests}, {"unit", &unit}, {"unit_kind", &kinds}, {"at", &at}}, len(units))
	})
}

// Suppressed are the requests with numbers in (after, upTo], in order.
func (db *DB) Suppressed(ctx context.Context, after, upTo uint64) ([]Suppression, error) {
	return db.suppressed(ctx, args{"after": after, "upto": upTo, "open": false})
}

// ErasedBy is a request of erasure that names a unit.
type ErasedBy struct {
	Request uint64
	At      time.Time
	Done    bool
}

// ErasuresOf are the requests that name a unit.
func (db *DB) ErasuresOf(ctx context.Context, u ingest.Unit) ([]ErasedBy, error) {
	for _, table := range []string{"decisions", "suppressed"} {
		if err := db.wait(ctx, table); err != nil {
			return nil, err
		}
	}
	return collect(ctx, db, "erasures_of", args{"unit": wide(u).String()}, func(rows native.Rows, e *ErasedBy) error {
		return rows.Scan(&e.Request, &e.At, &e.Done)
	})
}

// openErasures are the requests that are not carried out.
func (db *DB) openErasures(ctx context.Context) ([]Suppression, error) {
	return db.suppressed(ctx, args{"after": uint64(0), "upto": uint64(math.MaxInt64), "open": true})
}

func (db *DB) suppressed(ctx context.Context, params args) (all []Suppression, err error) {
	for _, table := range []string{"decisions", "suppressed"} {
		if err := db.wait(ctx, table); err != nil {
			return nil, err
		}
	}
	err = db.query(ctx, "suppressed", params, func() { all = nil }, func(rows native.Rows) error {
		var s Suppression
		var unit big.Int
		if err := rows.Scan(&s.Seq, &s.Request, &s.Retract, &unit); err != nil {
			return err
		}
		if n := len(all); n == 0 || all[n-1].Seq != s.Seq {
			all = append(all, s)
		}
		last := &all[len(all)-1]
		last.Units = append(last.Units, unitOf(&unit))
		return nil
	})
	return all, err
}

func unitOf(b *big.Int) ingest.Unit {
	return ingest.Unit{Hi: new(big.Int).Rsh(b, 64).Uint64(), Lo: new(big.Int).And(b, new(big.Int).SetUint64(math.MaxUint64)).Uint64()}
}

// unitList is an array of units as the text of a parameter, or of a statement.
func unitList(units []ingest.Unit) string {
	return list(units, func(u ingest.Unit) string { return wide(u).String() })
}

// hidden are the units of requests up to one that are not carried out: their rows may
// be there and may be gone.
func hidden(open []Suppression, upTo uint64) string {
	var units []ingest.Unit
	for _, s := range open {
		if s.Seq <= upTo {
			units = append(units, s.Units...)
		}
	}
	return unitList(units)
}

// NoteAdjustments writes down what erased units leave in the sums of a shard. Writing
// it again changes nothing.
func (db *DB) NoteAdjustments(ctx context.Context, shard uint16, all []Adjustment) error {
	var shards, seq, request fixed
	var cells cellColumns
	n := 0
	for _, a := range all {
		for i := range a.Rows {
			shards.uint16(shard)
			seq.uint64(a.Seq)
			request.uint64(a.Request)
			cells.add(&a.Rows[i])
			n++
		}
	}
	db, err := db.holder(ctx, shard)
	if err != nil {
		return fmt.Errorf("insert adjustments: %w", err)
	}
	return db.retry(idempotent(ctx), "insert adjustments", func(ctx context.Context) error {
		return db.insert(ctx, "adjustments", append([]field{{"shard", &shards}, {"seq", &seq}, {"request", &request}}, cells.fields()...), n)
	})
}

// CarriedOut is up to which request the places of a shard are counted as erased.
func (db *DB) CarriedOut(ctx context.Context, shard uint16) (uint64, error) {
	if err := db.wait(ctx, "erased"); err != nil {
		return 0, err
	}
	upTo, _, err := one(ctx, db, "carried_out", args{"shard": shard}, func(rows native.Rows, n *uint64) error { return rows.Scan(n) })
	return upTo, err
}

// CountErased finds what the marks of a shard counted of some units.
func (db *DB) CountErased(ctx context.Context, shard uint16, units []ingest.Unit) ([]Erased, error) {
	return collect(ctx, db, "erased_rows", args{"shard": shard, "units": unitList(units)}, func(rows native.Rows, e *Erased) error {
		return rows.Scan(&e.Topic, &e.Seq, &e.Attempt, &e.Accepted, &e.Duplicate, &e.Misplaced)
	})
}

// NoteErased writes down what is about to be deleted in a shard, all of it at once.
// From then on these rows are missed by nobody.
func (db *DB) NoteErased(ctx context.Context, shard uint16, request uint64, all []Erased) error {
	var shards, requests, seq, attempt, accepted, duplicate, misplaced, places, at fixed
	var topic words
	now := time.Now().UnixMilli()
	for _, e := range append(all[:len(all):len(all)], Erased{}) {
		shards.uint16(shard)
		requests.uint64(request)
		topic.add(e.Topic)
		seq.uint64(e.Seq)
		attempt.uint64(e.Attempt)
		accepted.uint64(e.Accepted)
		duplicate.uint64(e.Duplicate)
		misplaced.uint64(e.Misplaced)
		places.uint64(e.Accepted + e.Duplicate + e.Misplaced)
		at.int64(now)
	}
	fields := []field{
		{"shard", &shards}, {"request", &requests}, {"topic", &topic}, {"seq", &seq}, {"attempt", &attempt},
		{"accepted", &accepted}, {"duplicate", &duplicate}, {"misplaced", &misplaced}, {"places", &places}, {"at", &at},
	}
	db, err := db.holder(ctx, shard)
	if err != nil {
		return fmt.Errorf("insert what is erased: %w", err)
	}
	return db.retry(idempotent(ctx), "insert what is erased", func(ctx context.Context) error {
		return db.insert(ctx, "erased", fields, len(all)+1)
	})
}

// goneFrom are the units whose places a shard counts as erased while their rows may
// still be there.
func (db *DB) goneFrom(ctx context.Context, shard uint16) (string, error) {
	open, err := db.openErasures(ctx)
	if err != nil || len(open) == 0 {
		return hidden(nil, 0), err
	}
	upTo, err := db.CarriedOut(ctx, shard)
	return hidden(open, upTo), err
}

// deletion is the settings of a statement that rewrites parts: it returns when all
// replicas have done it, and may name very many units.
func deletion(ctx context.Context) context.Context {
	return driver.Context(ctx, driver.WithSettings(driver.Settings{"mutations_sync": 2, "max_query_size": 1 << 26}))
}

// DeleteUnits deletes the rows of some units, whole parts of which are written anew
// without them, and their names. It needs the right to alter.
func (db *DB) DeleteUnits(ctx context.Context, units []ingest.Unit) error {
	// A literal beyond 64 bits is a float to the server, which is nobody's hash.
	where := " DELETE WHERE unit IN CAST(" + quote(unitList(units)) + ", 'Array(UInt128)')"
	err := db.everywhere(ctx, func(ctx context.Context, db *DB) error {
		return db.retry(deletion(ctx), "delete events", func(ctx context.Context) error { return db.conn.Exec(ctx, "ALTER TABLE events"+where) })
	})
	if err != nil {
		return err
	}
	return db.retry(deletion(ctx), "delete names of units", func(ctx context.Context) error { return db.conn.Exec(ctx, "ALTER TABLE unit_names"+where) })
}

// UnitsLeft is how many rows there are of the units of requests, by table.
func (db *DB) UnitsLeft(ctx context.Context, requests ...string) (map[string]int64, error) {
	left := map[string]int64{}
	for _, table := range []string{"events", "unit_names", "suppressed"} {
		if err := db.wait(ctx, table); err != nil {
			return nil, err
		}
	}
	err := db.query(ctx, "units_left", args{"requests": requests}, func() { clear(left) }, func(rows native.Rows) error {
		var table string
		var n int64
		err := rows.Scan(&table, &n)
		left[table] = n
		return err
	})
	return left, err
}

// OldParts are the parts of tables with units that are no longer in use, and whose files
// the servers have not removed yet.
func (db *DB) OldParts(ctx context.Context) (all []string, err error) {
	list := func(ctx context.Context, db *DB) error {
		some, err := collect(ctx, db, "old_parts", nil, func(rows native.Rows, s *string) error { return rows.Scan(s) })
		for _, part := range some {
			all = append(all, db.name+" "+part)
		}
		return err
	}
	if db.spread() {
		err = list(ctx, db)
	}
	return all, errors.Join(err, db.everywhere(ctx, list))
}

// LinesOf are the lines of the decision log of some kinds, oldest first.
func (db *DB) LinesOf(ctx context.Context, kinds ...string) ([]Decision, error) {
	if err := db.wait(ctx, "decisions"); err != nil {
		return nil, err
	}
	return collect(ctx, db, "lines_of_kinds", args{"kinds": kinds}, scanDecision)
}

// ErasedPlaces is how many places a request takes, by topic, over all shards.
func (db *DB) ErasedPlaces(ctx context.Context, request uint64) (map[string]uint64, error) {
	places := map[string]uint64{}
	err := db.query(ctx, "erased_places", args{"request": request}, func() { clear(places) }, func(rows native.Rows) error {
		var topic string
		var n uint64
		err := rows.Scan(&topic, &n)
		places[topic] = n
		return err
	})
	return places, err
}
