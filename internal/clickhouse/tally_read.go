package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/results"
)

// standing reads sums whole.
func (db *DB) standing(ctx context.Context, specs []MomentsSpec) (*standing, error) {
	read := func(ctx context.Context, db *DB) (*standing, error) {
		return untorn(func() (*standing, error) { return db.standingOnce(ctx, specs) })
	}
	if !db.spread() {
		return read(ctx, db)
	}
	all, err := settled(ctx, db, read)
	if err != nil {
		return nil, err
	}
	return joined(db.nodes, all)
}

func (db *DB) standingOnce(ctx context.Context, specs []MomentsSpec) (s *standing, err error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return nil, err
	}
	params := momentsParams(specs)
	delete(params, "keys")
	delete(params, "cutoffs")
	s = newStanding(specs)
	params["cuts"], params["least"] = s.cuts, uint32(math.MaxUint32)
	if len(s.cuts) > 1 {
		params["least"] = s.cuts[1]
	}
	var marks [2]int
	begin := func() { s, marks = newStanding(specs), [2]int{} }
	err = db.query(ctx, "tally_whole", params, begin, func(rows native.Rows) error {
		var young uint8
		var positions [][]any
		d := delta{cell: results.Cell{Open: results.NewSums()}}
		c := &d.cell
		err := rows.Scan(&young, &d.since, &c.Experiment, &c.Iteration, &c.Phase, &c.Settling, &c.Variant, &c.Metric, &c.Dimension, &c.Value,
			&c.Open.N, &c.Open.NonZero, &c.Open.Over, c.Open.Sum, c.Open.SumSquares,
			c.Open.SumDenominator, c.Open.SumSquaresDenominator, c.Open.SumProduct, &c.Newest, &positions)
		switch {
		case err != nil:
			return err
		case c.Experiment == "":
			marks[young] += len(positions)
			return s.place(positions)
		}
		s.put(&d, young == 1)
		return nil
	})
	if err == nil && marks[0] != marks[1] {
		err = errTorn
	}
	return s, err
}

// place takes the positions of the shards, on which both halves must agree.
func (s *standing) place(positions [][]any) error {
	for _, p := range positions {
		shard, seq, config := p[0].(uint16), p[1].(uint64), p[2].(uint32)
		if at, known := s.vector[shard]; known && (at != seq || s.config[shard] != config) {
			return errTorn
		}
		s.vector[shard], s.config[shard] = seq, config
	}
	return nil
}

// put adds a row of the whole: all slots of a cell, or those from a cut on, which
// have then not matured.
func (s *standing) put(d *delta, young bool) {
	edges, wanted := s.edges[iterationOf{d.cell.Experiment, d.cell.Iteration}]
	if !wanted {
		return
	}
	c := s.cell(&d.cell)
	e, ripens := edges[d.cell.Metric]
	switch {
	case !young:
		c.Open, c.Newest = c.Open.Plus(d.cell.Open), d.cell.Newest
		if ripens {
			c.Matured.Add(d.cell.Open)
		}
	case ripens && d.since >= e.now:
		c.Matured.Sub(d.cell.Open)
		if d.since < e.next {
			c.ripening = c.ripening.Plus(d.cell.Open)
		}
	}
}

// since reads what the parts after a standing add, up to a position where one is given.
func (db *DB) since(ctx context.Context, s *standing, upto map[uint16]uint64, far uint64) (a appended, err error) {
	if !db.spread() {
		return db.sinceOnce(ctx, s, upto, far)
	}
	all, err := settled(ctx, db, func(ctx context.Context, n *DB) (appended, error) { return n.sinceOnce(ctx, s, upto, far) })
	if err != nil {
		return a, err
	}
	return appendedOf(all), nil
}

// sinceOnce is since of one server.
func (db *DB) sinceOnce(ctx context.Context, s *standing, upto map[uint16]uint64, far uint64) (a appended, err error) {
	if err := db.wait(ctx, "ledger"); err != nil {
		return a, err
	}
	text, params, err := sinceStatement(s, upto, far)
	if err != nil {
		return a, err
	}
	begin := func() { a = appended{marks: map[uint16][]placed{}} }
	err = db.queryText(ctx, "tally_since", text, params, begin, func(rows native.Rows) error {
		var marks [][]any
		d := delta{cell: results.Cell{Open: results.NewSums()}}
		c := &d.cell
		err := rows.Scan(&d.since, &c.Experiment, &c.Iteration, &c.Phase, &c.Settling, &c.Variant, &c.Metric, &c.Value,
			&c.Open.N, &c.Open.NonZero, &c.Open.Over, c.Open.Sum, c.Open.SumSquares,
			c.Open.SumDenominator, c.Open.SumSquaresDenominator, c.Open.SumProduct, &c.Newest, &marks)
		if c.Experiment != "" {
			a.deltas = append(a.deltas, d)
		}
		for _, m := range marks {
			shard := m[0].(uint16)
			a.marks[shard] = append(a.marks[shard], placed{m[1].(uint64), m[2].(uint64), m[3].(uint32)})
		}
		return err
	})
	return a, err
}

// farApart is how many parts shards may differ by and still be read together: what is
// read in vain is bounded by it, and every branch has to be planned.
const farApart = 5000

// sinceStatement is tally_since with a branch for the shards that are near one another.
func sinceStatement(s *standing, upto map[uint16]uint64, far uint64) (string, args, error) {
	text, err := statement("tally_since")
	if err != nil {
		return "", nil, fmt.Errorf("query tally_since: %w", err)
	}
	branch, err := statement("tally_shard")
	if err != nil {
		return "", nil, fmt.Errorf("query tally_shard: %w", err)
	}
	head, place, tail := cutPlace(branch)
	shards := slices.SortedFunc(maps.Keys(s.vector), func(a, b uint16) int {
		return cmp.Or(cmp.Compare(s.vector[a], s.vector[b]), cmp.Compare(a, b))
	})
	params := args{"cuts": s.cuts, "known": slices.Concat([]uint16{}, shards)}
	var branches strings.Builder
	least := uint64(0)
	for i, shard := range shards {
		n := "_" + strconv.Itoa(i)
		switch at := s.vector[shard]; {
		case i == 0:
			least = at
			branches.WriteString(head)
		case at > least+far:
			least = at
			branches.WriteString(tail + "UNION ALL\n" + head)
		default:
			branches.WriteString(" OR ")
		}
		branches.WriteString(strings.ReplaceAll(place, "_N:", n+":"))
		params["shard"+n], params["seq"+n], params["upto"+n] = shard, s.vector[shard], uint64(math.MaxInt64)
		if last, bounded := upto[shard]; bounded {
			params["upto"+n] = last
		}
	}
	if len(shards) > 0 {
		branches.WriteString(tail + "UNION ALL\n")
	}
	return strings.Replace(text, "/* SHARDS */", branches.String(), 1), params, nil
}

// cutPlace takes the line with the condition of one shard out of a branch.
func cutPlace(branch string) (head, place, tail string) {
	before, after, _ := strings.Cut(branch, "    (shard = ")
	line, tail, _ := strings.Cut(after, "\n")
	return before, "    (shard = " + line + "\n", tail
}
