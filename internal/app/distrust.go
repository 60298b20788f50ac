package app

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/results"
)

// chainEvery is how long a chain that was found whole is taken for that.
const chainEvery = 30 * time.Second

// chain is the ledger's chains as a reader sees them: whoever judges by the ledger
// looks itself whether it is one, and does not wait for a consumer to say so, which may
// have ended before.
type chain struct {
	db     *clickhouse.DB
	at     time.Time // of the last look at them
	faults map[uint16]string
}

// distrust gives the shards whose parts are not 1, 2, 3 … once each the state that the
// consumer gives them.
func (c *chain) distrust(ctx context.Context, statuses []results.ShardStatus, now time.Time) ([]results.ShardStatus, error) {
	if now.Sub(c.at) >= chainEvery {
		faults, err := c.db.CheckChain(ctx)
		if err != nil {
			return nil, fmt.Errorf("check the ledger's chains: %w", err)
		}
		c.at, c.faults = now, faultsByShard(faults)
	}
	for i := range statuses {
		if detail, bad := c.faults[statuses[i].Shard]; bad {
			statuses[i].State, statuses[i].Detail = kafka.StateChain, detail
		}
	}
	return statuses, nil
}
