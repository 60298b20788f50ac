package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/simulate"
)

// keys are the experiments of the load; every unit is in each of them.
var keys = []string{"bench-one", "bench-two"}

// attributes are the allow-list, and the dimensions of each experiment.
var attributes = []string{"country", "device"}

// load is the stream that is measured.
func load(units int, partitions int32) simulate.Load {
	const every = time.Millisecond
	// However many there are, nothing happens after its record's timestamp.
	ago := time.Hour + time.Duration(units)*every
	return simulate.Load{
		Seed: 7, Units: units, Experiments: keys, Each: true, Variants: []string{"control", "treatment"}, MostBuys: 6,
		Start: time.Now().Add(-ago).Truncate(time.Second), Every: every, Partitions: partitions,
	}
}

// bencher holds what all measurements share.
type bencher struct {
	broker    *broker
	engine    *embedded.ClickHouse
	set       *experiment.Set
	databases int
	memory    int64 // limit of the state; 0: none
	verify    bool  // every run, in SQL
	topics    source
	load      simulate.Load
}

// prepare starts the servers and writes the load into the broker.
func prepare(ctx context.Context, dir string, o options) (*bencher, error) {
	set, err := files()
	if err != nil {
		return nil, err
	}
	b, err := start(ctx, dir, o, set)
	if err != nil {
		return nil, err
	}
	if err := b.produce(ctx, b.topics, b.load); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// start starts the servers, for experiments.
func start(ctx context.Context, dir string, o options, set *experiment.Set) (_ *bencher, err error) {
	b := &bencher{set: set, load: load(o.units, o.partitions), topics: sourceNamed("bench"), memory: o.memory / 4 * 3, verify: o.verify}
	if o.erase > 0 {
		b.load.MostBuys = erasureBuys
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.engine, err = embedded.StartClickHouse(ctx, embedded.ClickHouseConfig{Dir: filepath.Join(dir, "clickhouse"), KeepMerged: o.keepMerged}); err != nil {
		return b, fmt.Errorf("start ClickHouse: %w", err)
	}
	b.broker, err = startBroker(ctx, o.jars, filepath.Join(dir, "broker"))
	return b, err
}

func (b *bencher) close() error {
	var errs []error
	if b.broker != nil {
		errs = append(errs, b.broker.close())
	}
	if b.engine != nil {
		errs = append(errs, b.engine.Close())
	}
	return errors.Join(errs...)
}

// produce makes the topics and writes the load.
func (b *bencher) produce(ctx context.Context, topics source, l simulate.Load) error {
	if err := b.create(ctx, topics, l.Partitions); err != nil {
		return err
	}
	cl, err := b.producer()
	if err != nil {
		return err
	}
	defer cl.Close()
	var failed atomic.Pointer[error]
	for r := range l.Records {
		cl.Produce(ctx, topics.record(r),
			func(_ *kgo.Record, err error) {
				if err != nil {
					failed.Store(&err)
				}
			})
	}
	if err := cl.Flush(ctx); err != nil {
		return fmt.Errorf("write the load: %w", err)
	}
	if err := failed.Load(); err != nil {
		return fmt.Errorf("write the load: %w", *err)
	}
	return nil
}

// files are the experiments and their three metrics, and what else there is.
func files(all ...experiment.File) (*experiment.Set, error) {
	for _, key := range keys {
		all = append(all, experiment.File{Name: "experiments/" + key + ".yaml", Data: []byte(strings.ReplaceAll(`key: KEY
owner: bench
variants: {control: 50%, treatment: 50%}
control: control
window: 1h
dimensions: [{attribute: country, values: [DE, FR]}, {attribute: device, values: [mobile, desktop]}]
goals: [revenue, conversion, purchases]
iterations: [{start: 2026-01-01T00:00:00Z, enrol_until: 2099-01-01T00:00:00Z}]
`, "KEY", key))})
	}
	set, problems := experiment.Parse(append(all,
		metric("revenue", "mean", "decimals: 2\n"), metric("conversion", "proportion", ""), metric("purchases", "count", "")))
	return set, problems.Err()
}

func metric(name, kind, more string) experiment.File {
	return experiment.File{Name: "metrics/" + name + ".yaml", Data: []byte(
		"name: " + name + "\nowner: bench\nevent: purchase\nkind: " + kind + "\ndirection: increase\n" + more)}
}

// version is the configuration that everything is counted under.
func (b *bencher) version() (*experiment.Version, error) {
	v, _, problems := experiment.Apply(nil, b.set, time.Now(), "bench")
	return v, problems.Err()
}

// database makes a fresh database with the experiments in force.
func (b *bencher) database(ctx context.Context) (*clickhouse.DB, *experiment.Version, error) {
	b.databases++
	name := fmt.Sprintf("assay_bench_%d", b.databases)
	open := func(u embedded.User) (*clickhouse.DB, error) {
		return clickhouse.Open(ctx, clickhouse.Config{Addr: []string{b.engine.Addr()}, Database: name, User: u.Name, Password: u.Password, Code: "bench"})
	}
	admin, err := open(b.engine.Admin())
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = admin.Close() }()
	if err := admin.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	v, err := b.version()
	if err != nil {
		return nil, nil, err
	}
	db, err := open(b.engine.Writer())
	if err != nil {
		return nil, nil, err
	}
	return db, v, db.AppendVersion(ctx, *v)
}
