package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/experiment"
)

// CapValue is the number that a metric's percentile cap has over a stretch of
// time: of how many units, and in whole 10^-decimals.
type CapValue struct {
	Units int64
	Value *big.Int
}

// Cap reads the percentile of the metric's cap from the events in [from, to).
func (db *DB) Cap(ctx context.Context, m *experiment.Metric, from, to time.Time, at []Position) (CapValue, error) {
	text, err := json.Marshal(slowParts(m)[0])
	if err != nil {
		return CapValue{}, fmt.Errorf("encode the metric: %w", err)
	}
	places, next := placesOf(at)
	params := args{"metric": string(text), "places": places, "next": next, "from": from.UnixMilli(), "to": to.UnixMilli(),
		"percentile": m.Cap.Percentile}
	got, _, err := one(ctx, db, "cap", params, func(rows native.Rows, c *CapValue) error {
		var value string
		if err := rows.Scan(&c.Units, &value); err != nil {
			return err
		}
		v, ok := new(big.Int).SetString(value, 10)
		if !ok {
			return fmt.Errorf("%q is not a whole number", value)
		}
		c.Value = v
		return nil
	})
	return got, err
}

// placesOf are the positions as transform() takes them; it wants at least one.
func placesOf(at []Position) (places []string, next []int64) {
	places, next = []string{""}, []int64{0}
	for _, p := range at {
		for topic, n := range p.Next {
			places, next = append(places, fmt.Sprintf("%d/%s", p.Shard, topic)), append(next, n)
		}
	}
	return places, next
}
