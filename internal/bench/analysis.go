package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

const (
	analysisShards  = 4
	analysisBuys    = 4 // of each unit
	analysisDay     = 24 * time.Hour
	analysisBegins  = 1_772_323_200_000 // 2026-03-01, in milliseconds
	mostMerging     = 5 * time.Minute
	mergingTick     = 200 * time.Millisecond
	analysisWindows = 14 * analysisDay // of which the analysis takes a half
)

// storedUnits puts units of one shard into events: each is exposed once within a week
// and buys four times within ten days of it.
const storedUnits = `INSERT INTO %[1]s.events (topic, shard, offset, t, kafka_t, type, unit_kind, unit, id, experiment, variant, event, value, attrs)
SELECT if(k = 0, 'assay.exposures', 'assay.outcomes'), %[2]d, if(k = 0, u, u * %[4]d + k - 1),
    fromUnixTimestamp64Milli(%[5]d + sipHash64(u, %[2]d, 'first') %% 604800000 + if(k = 0, 0, sipHash64(number, %[2]d) %% 864000000)) AS at, at,
    if(k = 0, 'exposure', 'outcome'), 'user', bitXor(bitShiftLeft(toUInt128(sipHash64(u, %[2]d)), 64), toUInt128(sipHash64(u, %[2]d, 1))), lower(hex(sipHash64(number, %[2]d))),
    if(k = 0, 'bench', ''), if(k = 0, if(sipHash64(u, %[2]d, 'arm') %% 2 = 0, 'control', 'treatment'), ''), if(k = 0, '', 'purchase'),
    if(k = 0, toDecimal128(0, 2), toDecimal128(sipHash64(number, %[2]d, 'x') %% 10000, 2) / 100),
    if(k = 0, map('country', ['DE', 'FR', 'US'][1 + u %% 3], 'platform', ['web', 'ios'][1 + sipHash64(u) %% 2]), map())
FROM (SELECT number, intDiv(number, %[4]d + 1) AS u, number %% (%[4]d + 1) AS k FROM numbers(%[3]d))
SETTINGS max_threads = 2, max_execution_time = 0`

// benchAnalysis measures an exploratory analysis over stored events.
func benchAnalysis(ctx context.Context, w io.Writer, dir string, units int) (err error) {
	engine, err := embedded.StartClickHouse(ctx, embedded.ClickHouseConfig{Dir: filepath.Join(dir, "clickhouse")})
	if err != nil {
		return fmt.Errorf("start ClickHouse: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	b := &bencher{engine: engine}
	if b.set, err = files(); err != nil {
		return err
	}
	db, _, err := b.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	name := fmt.Sprintf("assay_bench_%d", b.databases)
	if err := storeUnits(ctx, engine, name, units); err != nil {
		return fmt.Errorf("store events: %w", err)
	}
	_, _ = fmt.Fprintf(w, "AN ANALYSIS OF %d units and %d outcomes, stored in %d shards\n", units, units*analysisBuys, analysisShards)
	for _, c := range []struct {
		what string
		spec clickhouse.AnalysisSpec
	}{
		{"another window", analysisOf(nil, nil)},
		{"units of a country", analysisOf(nil, experiment.Condition{"country": "DE"})},
		{"cap at the 99th percentile", analysisOf(&experiment.Cap{Percentile: 99}, nil)},
	} {
		took, told, err := timeAnalysis(ctx, db, c.spec, units)
		if err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
		_, _ = fmt.Fprintf(w, "%-28s %6.1f s   progress told %d times\n", c.what, took.Seconds(), told)
	}
	return nil
}

func storeUnits(ctx context.Context, engine *embedded.ClickHouse, database string, units int) error {
	as := engine.Admin()
	conn, err := driver.Open(&driver.Options{Addr: []string{engine.Addr()}, Auth: driver.Auth{Username: as.Name, Password: as.Password}, ReadTimeout: time.Hour})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for shard := range analysisShards {
		rows := units / analysisShards * (analysisBuys + 1)
		if err := conn.Exec(ctx, fmt.Sprintf(storedUnits, database, shard, rows, analysisBuys, analysisBegins)); err != nil {
			return err
		}
	}
	return merged(ctx, conn, database)
}

// merged returns once the server has no merge of the database under way: stored events
// lie merged, but for the newest.
func merged(ctx context.Context, conn driver.Conn, database string) error {
	for last := time.Now().Add(mostMerging); ; pause(ctx, mergingTick) {
		var busy uint64
		if err := conn.QueryRow(ctx, "SELECT count() FROM system.merges WHERE database = ?", database).Scan(&busy); err != nil {
			return err
		}
		if busy == 0 {
			return nil
		}
		if time.Now().After(last) {
			return fmt.Errorf("%d merges are still under way after %v", busy, mostMerging)
		}
	}
}

func analysisOf(limit *experiment.Cap, cohort experiment.Condition) clickhouse.AnalysisSpec {
	start := time.UnixMilli(analysisBegins).UTC()
	it := experiment.Iteration{
		Number: 1, Start: start, EnrolUntil: start.Add(7 * analysisDay), End: start.Add(7*analysisDay + analysisWindows),
		Phases:  []experiment.Phase{{Number: 1, From: start, Shares: []float64{.5, .5}}},
		Metrics: []experiment.Metric{{Name: "revenue", Event: "purchase", Kind: experiment.Mean, Value: "value", Decimals: 2, Cap: limit}},
	}
	return clickhouse.AnalysisSpec{
		Experiment: &experiment.Experiment{Key: "bench", UnitKind: "user", Control: "control", Window: experiment.Duration(analysisWindows / 2),
			Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}}, Iterations: []experiment.Iteration{it}},
		Iteration: &it, Matured: map[string]time.Time{"revenue": start.Add(5 * analysisDay)}, Cohort: cohort,
	}
}

// timeAnalysis runs one and refuses a figure of the wrong units.
func timeAnalysis(ctx context.Context, db *clickhouse.DB, spec clickhouse.AnalysisSpec, units int) (took time.Duration, told int, err error) {
	var at []clickhouse.Position
	for shard := range uint16(analysisShards) {
		at = append(at, clickhouse.Position{Shard: shard, Seq: 1, Next: map[string]int64{"assay.exposures": 1 << 40, "assay.outcomes": 1 << 40}})
	}
	spec.Progress = func(clickhouse.AnalysisProgress) { told++ }
	began := time.Now()
	cells, _, err := db.AnalysisCells(ctx, spec, at)
	took = time.Since(began)
	if err != nil {
		return took, told, err
	}
	var n int64
	sums := results.NewSums()
	for i := range cells {
		if cells[i].Metric == "revenue" {
			n += cells[i].Open.N
			sums.Add(cells[i].Open)
		}
	}
	if all := int64(units / analysisShards * analysisShards); spec.Cohort == nil && n != all || n == 0 || sums.Over > 0 || sums.Sum.Sign() <= 0 {
		return took, told, fmt.Errorf("%d units of %d, %d beyond the sums, sum %v", n, all, sums.Over, sums.Sum)
	}
	return took, told, nil
}
