package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// ErrMoving says that a shard is on its way to another node: nobody may read or write
// it until it is there.
var ErrMoving error = unavailable("the shard is being moved")

// Placement says on which node a shard is. The last one of a shard holds.
type Placement struct {
	Number uint64 // from 1 without gaps, over all shards
	Shard  uint16
	Node   string
	From   string // while it moves: the node that it leaves; empty: it is there
	Actor  string // who placed it
}

// Placements are the last ones, by shard; last is the number of the newest of all.
func (db *DB) Placements(ctx context.Context) (all []Placement, last uint64, err error) {
	if err := db.wait(ctx, "placements"); err != nil {
		return nil, 0, err
	}
	all, err = collect(ctx, db, "placements", nil, func(rows native.Rows, p *Placement) error {
		return rows.Scan(&p.Shard, &p.Number, &p.Node, &p.From, &p.Actor)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read on which nodes the shards are: %w", err)
	}
	for _, p := range all {
		last = max(last, p.Number)
	}
	return all, last, nil
}

// places is what was last read of them.
type places struct {
	mu sync.Mutex
	at time.Time
	of map[uint16]Placement
}

// recent is how old what was read may be for readers. Who writes is held to the
// ledger of the node: where a shard was moved away from, no part of it is the next one.
const recent = time.Second

// placement is where a shard is; found is false when it was never placed.
func (db *DB) placement(ctx context.Context, shard uint16, age time.Duration) (p Placement, found bool, err error) {
	db.places.mu.Lock()
	defer db.places.mu.Unlock()
	if time.Since(db.places.at) >= age {
		read := time.Now()
		all, _, err := db.Placements(ctx)
		if err != nil {
			return p, false, err
		}
		of := make(map[uint16]Placement, len(all))
		for _, p := range all {
			of[p.Shard] = p
		}
		db.places.at, db.places.of = read, of
	}
	p, found = db.places.of[shard]
	return p, found, nil
}

// of is the node that holds a shard, or would if it were begun now; this server when
// it is the only one.
func (db *DB) of(ctx context.Context, shard uint16, age time.Duration) (*DB, error) {
	if !db.spread() {
		return db, nil
	}
	p, found, err := db.placement(ctx, shard, age)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return db.nodes[int(shard)%len(db.nodes)], nil
	case p.From != "":
		return nil, fmt.Errorf("shard %d, from %s to %s: %w", shard, p.From, p.Node, ErrMoving)
	}
	return db.named(p.Node)
}

func (db *DB) named(name string) (*DB, error) {
	i := slices.IndexFunc(db.nodes, func(n *DB) bool { return n.name == name })
	if i < 0 {
		return nil, fmt.Errorf("shards are on node %q, which is not configured", name)
	}
	return db.nodes[i], nil
}

// holding is who answers a statement: the node of the one shard that it names, if it
// names one.
func (db *DB) holding(ctx context.Context, params args) (*DB, error) {
	if shard, one := params["shard"].(uint16); one {
		return db.of(ctx, shard, recent)
	}
	return db, nil
}

// holder is the node that a shard's rows are written to. It is written down before the
// first of them, so that a node more or less in the configuration moves nothing.
func (db *DB) holder(ctx context.Context, shard uint16) (*DB, error) {
	if !db.spread() {
		return db, nil
	}
	for {
		_, found, err := db.placement(ctx, shard, time.Hour)
		if err == nil && !found {
			_, found, err = db.placement(ctx, shard, 0)
		}
		if err != nil {
			return nil, err
		}
		if found {
			return db.of(ctx, shard, time.Hour)
		}
		if err := db.begin(ctx, shard); err != nil && !errors.Is(err, ErrConflict) {
			return nil, err
		}
	}
}

// begin places a shard that never was.
func (db *DB) begin(ctx context.Context, shard uint16) error {
	all, last, err := db.Placements(ctx)
	if err != nil || slices.ContainsFunc(all, func(p Placement) bool { return p.Shard == shard }) {
		return err
	}
	n, err := db.of(ctx, shard, 0)
	if err != nil {
		return err
	}
	return db.AppendPlacement(ctx, Placement{Number: last + 1, Shard: shard, Node: n.name, Actor: "ingest"})
}

// AppendPlacement stores p as number p.Number. When that number is taken the error is
// an [ErrConflict]: read again before you place anything.
func (db *DB) AppendPlacement(ctx context.Context, p Placement) error {
	if p.Number == 0 {
		return errors.New("append placement: it has no number")
	}
	switch outcome, err := db.append(ctx, db.placementLink(p)); {
	case err != nil:
		return err
	case outcome == Committed:
		return nil
	}
	return fmt.Errorf("append placement %d: %w", p.Number, ErrConflict)
}

func (db *DB) placementLink(p Placement) *link {
	attempt := newAttempt()
	var number, attempts, at, shard fixed
	var node, from, actor words
	number.uint64(p.Number)
	attempts.uint64(attempt)
	at.int64(time.Now().UnixMilli())
	shard.uint16(p.Shard)
	node.add(p.Node)
	from.add(p.From)
	actor.add(p.Actor)
	return &link{
		chain: "the placements", table: "placements",
		token: fmt.Sprintf("p:%d", p.Number), seq: p.Number, attempt: attempt, rows: 1,
		fields: []field{
			{"number", &number}, {"attempt", &attempts}, {"at", &at}, {"shard", &shard},
			{"node", &node}, {"leaves", &from}, {"actor", &actor},
		},
		near: db.nearby("placements", "near_placement", args{"seq": p.Number}),
	}
}
