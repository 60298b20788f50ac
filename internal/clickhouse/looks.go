package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// How long a look lives is chosen when it is written: the first of an hour stays
// for ever, the first of a minute for a month, any other for a day.
const (
	minuteLook = 31 * 24 * time.Hour
	otherLook  = 24 * time.Hour
)

// forever is the greatest time that a DateTime holds, in the year 2106.
func forever() time.Time { return time.Unix(math.MaxUint32, 0).UTC() }

// series is a sequence of looks that is thinned on its own.
type series struct {
	experiment string
	iteration  uint32
	kind       LookKind
}

// lifetimes remembers the newest look of a series.
type lifetimes struct{ newest time.Time }

// expiry chooses how long a look at that time lives, given the one before it.
func (l lifetimes) expiry(at time.Time) time.Time {
	switch {
	case !at.Truncate(time.Hour).Equal(l.newest.Truncate(time.Hour)):
		return forever()
	case !at.Truncate(time.Minute).Equal(l.newest.Truncate(time.Minute)):
		return at.Add(minuteLook)
	}
	return at.Add(otherLook)
}

// StoreLook stores looks in one insert and fills in ID and Expires where they
// are empty. A look on which a decision already rests never expires.
func (db *DB) StoreLook(ctx context.Context, looks ...*Look) error {
	if err := db.learnLives(ctx, looks); err != nil {
		return err
	}
	for _, l := range looks {
		l.At = l.At.UTC().Truncate(time.Millisecond)
		if l.ID == "" {
			l.ID = NewLookID(l.At)
		}
		db.setExpiry(l)
	}
	return db.insertLooks(ctx, looks)
}

func (l *Look) series() series { return series{l.Experiment, l.Iteration, l.Kind} }

// learnLives reads the newest looks of the series that this process has stored none of:
// of all in one query, since a guard that begins has thousands.
func (db *DB) learnLives(ctx context.Context, looks []*Look) error {
	unknown, experiments := map[series]bool{}, map[string]bool{}
	db.mu.Lock()
	for _, l := range looks {
		if _, known := db.lives[l.series()]; !known {
			unknown[l.series()], experiments[l.Experiment] = true, true
		}
	}
	db.mu.Unlock()
	if len(unknown) == 0 {
		return nil
	}
	type newest struct {
		series
		at time.Time
	}
	found, err := collect(ctx, db, "look_newest", args{"experiments": slices.Sorted(maps.Keys(experiments))}, func(rows native.Rows, n *newest) error {
		var kind string
		err := rows.Scan(&n.experiment, &n.iteration, &kind, &n.at)
		n.kind = LookKind(kind)
		return err
	})
	if err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, n := range found {
		if unknown[n.series] && db.lives[n.series].newest.Before(n.at) {
			db.lives[n.series] = lifetimes{n.at}
		}
	}
	return nil
}

// NewLookID names a look. It begins with the time, so that a greater id is a later look.
func NewLookID(at time.Time) string {
	return fmt.Sprintf("%011x-%08x", at.UnixMilli(), rand.Uint32())
}

func (db *DB) setExpiry(l *Look) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if l.Expires.IsZero() {
		l.Expires = db.lives[l.series()].expiry(l.At)
	}
	if l.Decision != 0 || l.Kind == AnalysisLook {
		l.Expires = forever()
	}
	db.lives[l.series()] = lifetimes{l.At}
}

func (db *DB) insertLooks(ctx context.Context, looks []*Look) error {
	if len(looks) == 0 {
		return nil
	}
	var id, document text
	var experiment, kind, verdict words
	var iteration, at, version, decision, expires, ends, shards, seqs fixed
	for _, l := range looks {
		id.add(l.ID)
		experiment.add(l.Experiment)
		iteration.uint32(l.Iteration)
		kind.add(string(l.Kind))
		at.int64(l.At.UnixMilli())
		version.uint32(l.Version)
		for _, shard := range slices.Sorted(maps.Keys(l.Vector)) {
			shards.uint16(shard)
			seqs.uint64(l.Vector[shard])
		}
		ends.uint64(uint64(len(seqs) / 8))
		verdict.add(l.Verdict)
		document.add(string(l.Document))
		decision.uint64(l.Decision)
		expires.uint32(uint32(l.Expires.Unix()))
	}
	vector := slices.Concat(ends, shards, seqs)
	fields := []field{
		{"id", &id}, {"experiment", &experiment}, {"iteration", &iteration}, {"kind", &kind}, {"at", &at},
		{"version", &version}, {"vector", &vector}, {"verdict", &verdict}, {"document", &document},
		{"decision", &decision}, {"expires", &expires},
	}
	return db.retry(idempotent(ctx), "insert looks", func(ctx context.Context) error {
		return db.insert(ctx, "looks", fields, len(looks))
	})
}

// KeepLook says that a decision rests on a look, which then stays for ever.
func (db *DB) KeepLook(ctx context.Context, id string, decision uint64) error {
	l, err := db.LookByID(ctx, id)
	if err != nil || l.Decision >= decision {
		return err
	}
	l.Decision, l.Expires = decision, forever()
	return db.insertLooks(ctx, []*Look{&l})
}

// HoldLooks lets looks stay for ever on which something rests that is no decision.
func (db *DB) HoldLooks(ctx context.Context, looks []Look) error {
	var held []*Look
	for i := range looks {
		if l := looks[i]; l.Expires.Before(forever()) {
			l.Expires = forever()
			held = append(held, &l)
		}
	}
	return db.insertLooks(ctx, held)
}

// LatestLook is the newest look of an experiment, or ErrNotFound.
func (db *DB) LatestLook(ctx context.Context, experiment string, kind LookKind) (Look, error) {
	l, found, err := one(ctx, db, "look_last", args{"experiment": experiment, "kind": string(kind)}, scanLook)
	if err == nil && !found {
		err = fmt.Errorf("look of %s: %w", experiment, ErrNotFound)
	}
	return l, err
}

// LookByID is one look, or ErrNotFound.
func (db *DB) LookByID(ctx context.Context, id string) (Look, error) {
	l, found, err := one(ctx, db, "look_by_id", args{"id": id}, scanLook)
	if err == nil && !found {
		err = fmt.Errorf("look %s: %w", id, ErrNotFound)
	}
	return l, err
}

// Looks is the history of an experiment, oldest first.
func (db *DB) Looks(ctx context.Context, f LookFilter) ([]Look, error) {
	from, to, limit := int64(0), int64(math.MaxInt64/1_000_000), uint64(math.MaxInt64)
	if !f.From.IsZero() {
		from = f.From.UnixMilli()
	}
	if !f.To.IsZero() {
		to = f.To.UnixMilli()
	}
	if f.Limit > 0 {
		limit = uint64(f.Limit)
	}
	looks, err := collect(ctx, db, "looks", args{
		"experiment": f.Experiment, "iteration": f.Iteration, "kind": string(f.Kind),
		"from": from, "to": to, "every": f.Every.Milliseconds(), "documents": f.Documents, "limit": limit,
	}, scanLook)
	slices.Reverse(looks)
	return looks, err
}

func scanLook(rows native.Rows, l *Look) error {
	var kind string
	err := rows.Scan(&l.ID, &l.Experiment, &l.Iteration, &kind, &l.At, &l.Version, &l.Vector, &l.Verdict,
		&l.Document, &l.Decision, &l.Expires)
	l.Kind = LookKind(kind)
	return err
}
