package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// erasureBuys is the most that a unit of this load buys: many units, few events.
const erasureBuys = 1

// forgetting is a database with the load counted, and a consumer that goes on.
type forgetting struct {
	*bencher
	db    *clickhouse.DB
	conn  driver.Conn // as the admin
	stack *app.Stack
	v     *experiment.Version
	r     *report

	taken, retracted map[int]bool // units that were erased, and of whom nothing is in the sums
}

// benchErase measures what it takes until units are gone, and refuses a figure of sums
// that are not what they must be.
func benchErase(ctx context.Context, dir string, o options, r *report) (err error) {
	b, err := prepare(ctx, dir, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	f := &forgetting{bencher: b, r: r, taken: map[int]bool{}, retracted: map[int]bool{}}
	if f.db, f.v, err = b.database(ctx); err != nil {
		return err
	}
	defer func() { _ = f.db.Close() }()
	if err := f.open(ctx, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.stack.Close(), f.conn.Close()) }()
	if err := f.consume(ctx); err != nil {
		return err
	}
	r.say("ERASURE among %d events of %d units, %d shards", b.load.Count(), o.units, o.partitions)
	if err := merged(ctx, f.conn, f.name()); err != nil {
		return err
	}
	stop, err := f.live(ctx)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		policy app.Policy
		units  int
	}{{app.Keep, 1}, {app.Retract, 1}, {app.Keep, o.eraseMany}, {app.Retract, o.eraseMany}} {
		if err := f.erase(ctx, c.policy, c.units); err != nil {
			return errors.Join(fmt.Errorf("%s %d: %w", c.policy, c.units, err), stop())
		}
	}
	if err := stop(); err != nil {
		return err
	}
	return f.again(ctx)
}

func (f *forgetting) name() string { return fmt.Sprintf("assay_bench_%d", f.databases) }

// open opens the database as an operator's command does.
func (f *forgetting) open(ctx context.Context, dir string) (err error) {
	admin, file := f.engine.Admin(), filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(admin.Password), 0o600); err != nil {
		return err
	}
	cfg := config.Default()
	cfg.Data, cfg.Kafka.Brokers, cfg.Kafka.Topics = filepath.Join(dir, "data"), f.broker.addrs, nil
	for _, name := range f.topics {
		cfg.Kafka.Topics = append(cfg.Kafka.Topics, config.Topic{Name: name})
	}
	cfg.ClickHouse.Addresses, cfg.ClickHouse.Database = []string{f.engine.Addr()}, f.name()
	cfg.ClickHouse.User, cfg.ClickHouse.Password = admin.Name, config.Secret{File: file}
	if f.stack, err = app.Open(ctx, cfg, app.Options{Kafka: true, Code: "bench", Log: slog.New(slog.DiscardHandler)}); err != nil {
		return err
	}
	f.conn, err = driver.Open(&driver.Options{Addr: cfg.ClickHouse.Addresses, Auth: driver.Auth{Database: f.name(), Username: admin.Name, Password: admin.Password}})
	return err
}

// consume counts what is there.
func (f *forgetting) consume(ctx context.Context) error {
	cfg := f.config(f.topics)
	cfg.UntilEnd = true
	c, err := kafka.New(cfg, app.Store(f.db))
	if err != nil {
		return err
	}
	if err := c.Run(ctx); err != nil {
		return err
	}
	// As if somebody wrote down who is who.
	return f.conn.Exec(ctx, "INSERT INTO unit_names SELECT DISTINCT unit, unit_kind, toString(unit) FROM events")
}

// live runs a consumer until the function is called.
func (f *forgetting) live(ctx context.Context) (stop func() error, err error) {
	c, err := kafka.New(f.config(f.topics), app.Store(f.db))
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.Run(running) }()
	stop = func() error { cancel(); return <-done }
	for { // until every shard has its units in memory
		all, err := f.db.Statuses(ctx)
		if err == nil && len(all) == int(f.load.Partitions) && !slices.ContainsFunc(all, func(s results.ShardStatus) bool { return s.State != kafka.StateOK }) {
			return stop, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), stop())
		}
		pause(ctx, mergingTick)
	}
}

// pick chooses units that are there, from all over the load.
func (f *forgetting) pick(n int, policy app.Policy) (units []ingest.Unit) {
	const stride = 7919 // a prime, so that no unit comes twice
	for range n {
		i := len(f.taken) * stride % f.load.Units
		f.taken[i] = true
		if policy == app.Retract {
			f.retracted[i] = true
		}
		units = append(units, ingest.Key{1}.Unit("user", f.load.Unit(i)))
	}
	return units
}

// rows counts rows of units in every table that says whose its rows are, but the list
// of those who are suppressed.
func (f *forgetting) rows(ctx context.Context, units []ingest.Unit) (map[string]uint64, error) {
	rows, err := f.conn.Query(ctx, `SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'unit' AND table != 'suppressed'
		AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]uint64{}
	for rows.Next() {
		var table string
		var n uint64
		if err := rows.Scan(&table); err != nil {
			return nil, err
		}
		if err := f.conn.QueryRow(ctx, "SELECT count() FROM "+table+" WHERE "+app.UnitHash+" IN (?)", hashes(units)).Scan(&n); err != nil {
			return nil, err
		}
		found[table] = n
	}
	return found, rows.Err()
}

func hashes(units []ingest.Unit) (text []string) {
	for _, u := range units {
		text = append(text, fmt.Sprintf("%016x%016x", u.Hi, u.Lo))
	}
	return text
}

// counted is what the ledger has: all open sums, and how far each shard has read each
// topic, as text.
func (f *forgetting) counted(ctx context.Context) (sums, watermark string, err error) {
	err = f.conn.QueryRow(ctx, `SELECT toString(groupArray(x)) FROM (SELECT (experiment, variant, metric, dimension, value, sum(n), sum(nonzero), sum(sy), sum(syy)) AS x
		FROM ledger WHERE mark = 0 GROUP BY experiment, variant, metric, dimension, value ORDER BY experiment, variant, metric, dimension, value)`).Scan(&sums)
	if err != nil {
		return "", "", err
	}
	err = f.conn.QueryRow(ctx, `SELECT toString(groupArray(x)) FROM (SELECT (shard, maxMap(arrayZip(topics, next)::Map(String, Int64))) AS x
		FROM ledger WHERE mark = 1 GROUP BY shard ORDER BY shard)`).Scan(&watermark)
	return sums, watermark, err
}

// erase erases some units and tells how long each step took.
func (f *forgetting) erase(ctx context.Context, policy app.Policy, n int) error {
	units := f.pick(n, policy)
	there, err := f.rows(ctx, units)
	if err != nil {
		return err
	}
	for table, rows := range there {
		if rows < uint64(n) {
			return fmt.Errorf("%s has %d rows of %d units before they are erased", table, rows, n)
		}
	}
	sums, watermark, err := f.counted(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	asked, err := f.stack.AskErasure(ctx, app.ErasureRequest{Hashes: units, UnitKind: "user", Policy: policy, Reason: "bench", Actor: "bench"}, time.Now)
	if err != nil {
		return err
	}
	var steps []string
	last, step := time.Now(), ""
	tell := func(_ uint64, next string) {
		if step != "" {
			steps = append(steps, fmt.Sprintf("  %s\t%.2f s", step, time.Since(last).Seconds()))
		}
		last, step = time.Now(), next
	}
	done, err := f.stack.Erase(ctx, app.ErasureRun{Wait: 10 * time.Minute, Now: time.Now, Tell: tell})
	if err != nil {
		return err
	}
	took := time.Since(began)
	tell(0, "")
	if len(done) != 1 || done[0].Request != asked.Request {
		return fmt.Errorf("%d requests were carried out", len(done))
	}
	var places uint64
	for _, n := range done[0].Proof.Places {
		places += n
	}
	f.r.say("%s, %d units with %d records: gone from every table and file in %.1f s", policy, n, places, took.Seconds())
	f.r.table(steps...)
	gone, err := f.rows(ctx, units)
	if err != nil {
		return err
	}
	for table, rows := range gone {
		if rows > 0 {
			return fmt.Errorf("%s has %d rows of them still", table, rows)
		}
	}
	f.r.say("  rows of theirs, by table: %v before, %v after", there, gone)
	sumsAfter, watermarkAfter, err := f.counted(ctx)
	switch {
	case err != nil:
		return err
	case watermark != watermarkAfter:
		return fmt.Errorf("the watermark was %s and is %s", watermark, watermarkAfter)
	case policy == app.Keep && sums != sumsAfter:
		return errors.New("sums are not what they were")
	}
	if err := check(ctx, f.db, f.v, f.load.Experiments, f.load.ExpectedWithout(f.retracted)); err != nil {
		return err
	}
	f.r.say("  watermark as before; sums %s", map[app.Policy]string{app.Keep: "as before, to the bit", app.Retract: "those of the load without these units, exactly"}[policy])
	return f.verified(ctx)
}

// verified recounts everything.
func (f *forgetting) verified(ctx context.Context) error {
	began := time.Now()
	v, err := f.db.Verify(ctx, clickhouse.VerifySpec{})
	if err != nil {
		return err
	}
	if n := v.Differences(); n > 0 {
		return fmt.Errorf("verify finds %d differences", n)
	}
	f.r.say("  verify: difference 0, in %.1f s", time.Since(began).Seconds())
	return nil
}

// again reads both topics from their beginning into an empty ledger.
func (f *forgetting) again(ctx context.Context) error {
	for _, table := range []string{"ledger", "events", "dead_letters", "unit_names", "proven"} {
		if err := f.conn.Exec(ctx, "TRUNCATE TABLE "+table); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := f.consume(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	var units, suppressed uint64
	if err := f.conn.QueryRow(ctx, "SELECT uniqExact(unit) FROM events").Scan(&units); err != nil {
		return err
	}
	if err := f.conn.QueryRow(ctx, "SELECT sum(arraySum(suppressed)) FROM ledger WHERE mark = 1").Scan(&suppressed); err != nil {
		return err
	}
	if want := uint64(f.load.Units - len(f.taken)); units != want {
		return fmt.Errorf("%d units are stored after both topics were read anew, there must be %d", units, want)
	}
	if err := check(ctx, f.db, f.v, f.load.Experiments, f.load.ExpectedWithout(f.taken)); err != nil {
		return err
	}
	f.r.say("READ ANEW from the first offset in %.1f s: %d records suppressed, none of %d units is back, sums those of the load without them", took.Seconds(), suppressed, len(f.taken))
	return f.verified(ctx)
}
