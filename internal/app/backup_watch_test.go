package app

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// TestBackupGauges: what counts is the newest complete backup, and how the newest one
// stands.
func TestBackupGauges(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	at := func(hours int, s clickhouse.BackupState) clickhouse.Backup {
		return clickhouse.Backup{Begun: now.Add(-time.Duration(hours) * time.Hour), State: s}
	}
	const begun, failed, complete, removed = clickhouse.BackupBegun, clickhouse.BackupFailed, clickhouse.BackupComplete, clickhouse.BackupRemoved
	for what, c := range map[string]struct {
		all              []clickhouse.Backup
		complete, failed float64
	}{
		"none":                    {nil, 0, 0},
		"one":                     {[]clickhouse.Backup{at(1, complete), at(25, removed)}, 1_000_000 - 3600, 0},
		"one is being made":       {[]clickhouse.Backup{at(1, begun), at(25, complete)}, 1_000_000 - 25*3600, 0},
		"one was left unfinished": {[]clickhouse.Backup{at(13, begun), at(25, complete)}, 1_000_000 - 25*3600, 1},
		"the last failed":         {[]clickhouse.Backup{at(1, failed), at(25, complete)}, 1_000_000 - 25*3600, 1},
		"one failed before":       {[]clickhouse.Backup{at(1, complete), at(2, failed)}, 1_000_000 - 3600, 0},
	} {
		registry := prometheus.NewRegistry()
		g, err := NewBackupGauges(registry)
		if err != nil {
			t.Fatal(err)
		}
		g.show(c.all, now)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{c.complete, c.failed} { // sorted by name
			if got := families[i].GetMetric()[0].GetGauge().GetValue(); got != want {
				t.Errorf("%s: %s is %v, want %v", what, families[i].GetName(), got, want)
			}
		}
	}
}
