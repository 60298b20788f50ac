package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// GuardLedger is the database as what a guard looks at. It keeps the sums between
// looks; nobody else reads in this way.
type GuardLedger struct {
	db          *clickhouse.DB
	tally       *clickhouse.Tally
	chain       chain
	counted     uint64 // whole readings that the counter has
	wholes      prometheus.Counter
	differences prometheus.Counter
}

// NewGuardLedger has read nothing yet.
func NewGuardLedger(db *clickhouse.DB, r prometheus.Registerer) (*GuardLedger, error) {
	g := &GuardLedger{
		db: db, tally: db.NewTally(), chain: chain{db: db},
		wholes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_guard_whole_reads_total", Help: "Looks for which all sums were read, and not only what new parts add: at least one a minute, which is held against what was kept.",
		}),
		differences: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_guard_sums_differ_total", Help: "Times that the sums that the guard kept were not those of the ledger, read whole; must be 0. No verdict came of such a look.",
		}),
	}
	if r == nil {
		return g, nil
	}
	if err := errors.Join(r.Register(g.wholes), r.Register(g.differences)); err != nil {
		return nil, fmt.Errorf("register the metrics of reading: %w", err)
	}
	return g, nil
}

// Statuses implements watch.Ledger.
func (g *GuardLedger) Statuses(ctx context.Context) ([]results.ShardStatus, error) {
	statuses, err := g.db.Statuses(ctx)
	if err != nil {
		return nil, err
	}
	statuses, err = g.chain.distrust(ctx, statuses, time.Now())
	return statuses, missing(err)
}

// missing tells the guard of an error that it comes of shards that cannot be reached.
func missing(err error) error {
	if errors.Is(err, clickhouse.ErrNodeAway) || errors.Is(err, clickhouse.ErrMoving) {
		return fmt.Errorf("%w: %w", watch.ErrNodeAway, err)
	}
	return err
}

// Moments implements watch.Ledger.
func (g *GuardLedger) Moments(ctx context.Context, queries []watch.Query) (results.Moments, error) {
	specs := make([]clickhouse.MomentsSpec, len(queries))
	for i, q := range queries {
		specs[i] = clickhouse.MomentsSpec(q)
	}
	m, err := g.tally.Moments(ctx, specs)
	if errors.Is(err, clickhouse.ErrTallyDiffers) {
		g.differences.Inc()
	}
	wholes := g.tally.Wholes()
	g.wholes.Add(float64(wholes - g.counted))
	g.counted = wholes
	return m, missing(err)
}
