package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// ProjectionDifference is a sum that a projection gives and the rows do not.
type ProjectionDifference struct {
	Projection string    `json:"projection"`
	Shard      uint16    `json:"shard"`
	Experiment string    `json:"experiment"` // empty: the position of the shard
	Iteration  uint32    `json:"iteration"`
	Phase      uint16    `json:"phase"`
	Settling   bool      `json:"settling"`
	Variant    string    `json:"variant"`
	Metric     string    `json:"metric"`
	Slot       time.Time `json:"slot,omitzero"` // of projection page
	Dimension  string    `json:"dimension"`
	Value      string    `json:"value"`
	Expected   string    `json:"expected"` // by the rows
	Found      string    `json:"found"`    // by the projection
}

// projected is a group of a projection.
type projected struct {
	sums
	seq    uint64
	config uint32
	newest time.Time
}

func (p projected) String() string {
	return fmt.Sprintf("%s, last part %d, configuration %d, newest event %s",
		p.public(), p.seq, p.config, p.newest.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// errMoved says that the shard got a part between two readings.
var errMoved = errors.New("the ledger moved on")

// projections compares each projection of the ledger with the rows.
func (v *verifier) projections(ctx context.Context, shard uint16) error {
	for _, name := range []string{"look", "page"} {
		v.step("compare projection " + name + " with the rows")
		var differences []ProjectionDifference
		err := errMoved
		for try := 0; try < 10 && errors.Is(err, errMoved); try++ {
			differences, err = v.db.projection(ctx, name, shard)
		}
		if errors.Is(err, errMoved) {
			return fmt.Errorf("projection %s: %w: too fast for a comparison", name, err)
		}
		if err != nil {
			return err
		}
		v.found.Projections = append(v.found.Projections, differences...)
	}
	return nil
}

func (db *DB) projection(ctx context.Context, name string, shard uint16) ([]ProjectionDifference, error) {
	before, err := db.LastMark(ctx, shard)
	if err != nil {
		return nil, err
	}
	found, err := db.groups(ctx, "verify_"+name, shard)
	if err != nil {
		return nil, err
	}
	expected, err := db.groups(ctx, "verify_"+name+"_rows", shard)
	if err != nil {
		return nil, err
	}
	after, err := db.LastMark(ctx, shard)
	if err != nil {
		return nil, err
	}
	if before.Seq != after.Seq {
		return nil, errMoved
	}
	return compareGroups(name, shard, expected, found), nil
}

func compareGroups(name string, shard uint16, expected, found map[ingest.Cell]projected) []ProjectionDifference {
	all := map[ingest.Cell]bool{}
	for _, side := range []map[ingest.Cell]projected{expected, found} {
		for c := range side {
			if expected[c] != found[c] {
				all[c] = true
			}
		}
	}
	var out []ProjectionDifference
	for _, c := range slices.SortedFunc(maps.Keys(all), func(a, b ingest.Cell) int { return cmp.Or(a.Compare(&b)) }) {
		d := ProjectionDifference{
			Projection: name, Shard: shard, Experiment: c.Experiment, Iteration: c.Iteration, Phase: c.Phase, Settling: c.Settling,
			Variant: c.Variant, Metric: c.Metric, Dimension: c.Dimension, Value: c.Value,
			Expected: expected[c].String(), Found: found[c].String(),
		}
		if name == "page" {
			d.Slot = time.UnixMilli(c.Slot).UTC()
		}
		out = append(out, d)
	}
	return out
}

func (db *DB) groups(ctx context.Context, query string, shard uint16) (map[ingest.Cell]projected, error) {
	all := map[ingest.Cell]projected{}
	begin := func() { clear(all) }
	err := db.query(ctx, query, args{"shard": shard}, begin, func(rows native.Rows) error {
		var c ingest.Cell
		var p projected
		err := scanCell(rows, &c, &p.sums, &p.seq, &p.config, &p.newest)
		all[c] = p
		return err
	})
	return all, err
}
