// Command reportnumber makes a number of a report from raw rows: units and sum of a
// metric of kind mean in each arm, and each arm's difference from the control with its
// standard error, as the newest stored look has them. It reads the views alone.
//
//	go run ./docs/notebooks/reportnumber -addr HOST:9000 -password PASSWORD \
//	    -experiment checkout-cta -metric revenue -event purchase -window 168h
//
// Event and window are those of the metric's definition. It is written for one phase,
// excluded crossovers and no grace; all of the rules are in docs/semantics.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "ClickHouse, native protocol")
	user := flag.String("user", "reader", "account")
	password := flag.String("password", "", "its password")
	database := flag.String("database", "assay_sql", "database of the views")
	var q question
	flag.StringVar(&q.experiment, "experiment", "", "key of the experiment")
	flag.StringVar(&q.metric, "metric", "", "name of the metric, a mean")
	flag.StringVar(&q.event, "event", "", "its event")
	flag.DurationVar(&q.window, "window", 0, "its window")
	flag.Parse()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{*addr}, Auth: clickhouse.Auth{Database: *database, Username: *user, Password: *password}})
	if err == nil {
		err = q.answer(context.Background(), conn)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reportnumber:", err)
		os.Exit(1)
	}
}

type question struct {
	experiment, metric, event string
	window                    time.Duration
}

// look is what is read of the stored document.
type look struct {
	Start   time.Time `json:"start"`
	Enrol   time.Time `json:"enrol_until"`
	End     time.Time `json:"end"`
	Control string    `json:"control"`
	Cells   []struct {
		Variant, Metric, Dimension string
		Settling                   bool
		Open                       struct {
			N   int64
			Sum string
		}
	}
	Comparisons []struct {
		Metric, Arm string
		Open        struct {
			Absolute struct {
				Estimate float64
				StdError float64 `json:"std_error"`
			}
		}
	}
}

// event is an exposure or an outcome; the server has taken duplicates out.
type event struct {
	unit, name string
	t          time.Time
	whole      int64
}

// once reads the rows that the look has read, the first of each identity.
const once = `SELECT toString(unit), t, %s AS name, %s AS whole
FROM %s AS e INNER JOIN (
    SELECT shard, topic, max(next_offset) AS next FROM marks
    WHERE seq <= (SELECT vector FROM latest_looks WHERE kind = 'full' AND experiment = {experiment:String})[shard] GROUP BY shard, topic
) AS below ON e.shard = below.shard AND e.topic = below.topic
WHERE e.offset < below.next AND NOT e.misplaced
ORDER BY e.unit, t, e.topic, e.offset
LIMIT 1 BY e.unit, t, e.topic, e.unit_kind, e.id, if(e.id = '', e.offset, -1)`

func (q question) read(ctx context.Context, conn driver.Conn, name, whole, table string, fn func(event)) error {
	rows, err := conn.Query(ctx, fmt.Sprintf(once, name, whole, table), clickhouse.Named("experiment", q.experiment), clickhouse.Named("metric", q.metric))
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	defer rows.Close()
	for rows.Next() {
		var e event
		if err := rows.Scan(&e.unit, &e.t, &e.name, &e.whole); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		fn(e)
	}
	return rows.Err()
}

// member is a unit of the experiment.
type member struct {
	arm     string
	first   time.Time
	crossed bool
	y       int64
}

func (q question) answer(ctx context.Context, conn driver.Conn) error {
	var text string
	var decimals uint8
	err := conn.QueryRow(ctx, `SELECT document, (SELECT any(decimals) FROM metrics WHERE experiment = {experiment:String} AND metric = {metric:String})
		FROM latest_looks WHERE kind = 'full' AND experiment = {experiment:String}`,
		clickhouse.Named("experiment", q.experiment), clickhouse.Named("metric", q.metric)).Scan(&text, &decimals)
	if err != nil {
		return fmt.Errorf("read the newest look: %w", err)
	}
	var l look
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return fmt.Errorf("decode the look: %w", err)
	}
	within := func(t time.Time) bool { return !t.Before(l.Start) && t.Before(l.End) }
	members := map[string]*member{}
	err = q.read(ctx, conn, "if(e.experiment = {experiment:String}, toString(variant), '')", "toInt64(0)", "exposures", func(e event) {
		m := members[e.unit]
		switch {
		case e.name == "" || !within(e.t):
		case m == nil && e.t.Before(l.Enrol): // rows come in the order of time
			members[e.unit] = &member{arm: e.name, first: e.t}
		case m != nil && m.arm != e.name:
			m.crossed = true
		}
	})
	if err != nil {
		return err
	}
	places := "(SELECT any(decimals) FROM metrics WHERE experiment = {experiment:String} AND metric = {metric:String})"
	err = q.read(ctx, conn, "toString(event)", "toInt64(intDiv(reinterpretAsInt128(roundBankers(value, assumeNotNull("+places+"))), toInt128(exp10(12 - assumeNotNull("+places+")))))", "outcomes", func(e event) {
		if m := members[e.unit]; m != nil && e.name == q.event && within(e.t) && !e.t.Before(m.first) && e.t.Sub(m.first) <= q.window {
			m.y += e.whole
		}
	})
	if err != nil {
		return err
	}
	return q.compare(l, members, int(decimals))
}

// sums are those of an arm, exact.
type sums struct {
	n              int64
	total, squares *big.Int
}

// mean is that of a unit, in the metric's unit of measure.
func (s sums) mean(decimals int) float64 {
	total, _ := new(big.Float).SetInt(s.total).Float64()
	return total / float64(s.n) / math.Pow10(decimals)
}

// variance is that of the mean: (nΣy² − (Σy)²) / n²(n − 1), of integers until the division.
func (s sums) variance(decimals int) float64 {
	n := big.NewInt(s.n)
	over := new(big.Int).Mul(n, s.squares)
	over.Sub(over, new(big.Int).Mul(s.total, s.total))
	under := new(big.Int).Mul(new(big.Int).Mul(n, n), big.NewInt(s.n-1))
	v, _ := new(big.Rat).SetFrac(over, under).Float64()
	return v / math.Pow10(2*decimals)
}

// compare holds what came out against the look: integers must be equal, a difference
// of means within 1e-12 of the control's mean, a standard error within 1e-12 of itself.
func (q question) compare(l look, members map[string]*member, decimals int) error {
	arms := map[string]sums{}
	for _, m := range members {
		if m.crossed {
			continue
		}
		s, known := arms[m.arm]
		if !known {
			s = sums{total: new(big.Int), squares: new(big.Int)}
		}
		y := big.NewInt(m.y)
		s.n++
		s.total.Add(s.total, y)
		s.squares.Add(s.squares, new(big.Int).Mul(y, y))
		arms[m.arm] = s
	}
	for _, c := range l.Cells {
		if c.Metric != q.metric || c.Dimension != "" || c.Settling {
			continue
		}
		if s := arms[c.Variant]; s.n != c.Open.N || s.total.String() != c.Open.Sum {
			return fmt.Errorf("%s: %d units with %v from raw rows, %d with %s in the look", c.Variant, s.n, s.total, c.Open.N, c.Open.Sum)
		}
	}
	control := arms[l.Control]
	for _, c := range l.Comparisons {
		if c.Metric != q.metric {
			continue
		}
		arm, stored := arms[c.Arm], c.Open.Absolute
		effect := arm.mean(decimals) - control.mean(decimals)
		if !(math.Abs(effect-stored.Estimate) <= 1e-12*math.Abs(control.mean(decimals))) {
			return fmt.Errorf("%s: %v from raw rows, %v in the look", c.Arm, effect, stored.Estimate)
		}
		deviation := math.Sqrt(arm.variance(decimals) + control.variance(decimals))
		if !(math.Abs(deviation-stored.StdError) <= 1e-12*stored.StdError) {
			return fmt.Errorf("%s: standard error %v from raw rows, %v in the look", c.Arm, deviation, stored.StdError)
		}
		fmt.Printf("%s %s %s: %v ± %v from raw rows, as in the look\n", q.experiment, q.metric, c.Arm, effect, deviation)
	}
	return nil
}
