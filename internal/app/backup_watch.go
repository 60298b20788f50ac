package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
)

const (
	backupsEvery = time.Minute
	// backupLasts is after how long a backup that was begun is taken for one that failed.
	backupLasts = 12 * time.Hour
)

// BackupGauges are what is measured of backups.
type BackupGauges struct{ complete, failed prometheus.Gauge }

// NewBackupGauges registers them.
func NewBackupGauges(r prometheus.Registerer) (*BackupGauges, error) {
	g := &BackupGauges{
		complete: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assay_backup_complete_timestamp_seconds", Help: "When the newest complete backup was begun, by the table of backups; 0: there is none, or it was not read yet.",
		}),
		failed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assay_backup_failed", Help: "1 while the newest backup is one that failed, or that was begun half a day ago and is not complete.",
		}),
	}
	return g, errors.Join(r.Register(g.complete), r.Register(g.failed))
}

// show sets them by the backups that were made, the newest first.
func (g *BackupGauges) show(all []clickhouse.Backup, now time.Time) {
	complete, failed := 0.0, 0.0
	if len(all) > 0 {
		last := all[0]
		if last.State == clickhouse.BackupFailed || last.State == clickhouse.BackupBegun && now.Sub(last.Begun) > backupLasts {
			failed = 1
		}
	}
	for _, b := range all {
		if b.State == clickhouse.BackupComplete {
			complete = float64(b.Begun.UnixMilli()) / 1000
			break
		}
	}
	g.complete.Set(complete)
	g.failed.Set(failed)
}

// WatchBackups reads which backups were made until the context ends.
func (s *Stack) WatchBackups(r prometheus.Registerer) (Part, error) {
	g, err := NewBackupGauges(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return s.rounds(ctx, "read which backups were made", backupsEvery, func(ctx context.Context, now time.Time) error {
			ctx, cancel := context.WithTimeout(ctx, backupsEvery)
			defer cancel()
			all, err := s.DB.Backups(ctx)
			if err == nil {
				g.show(all, now)
			}
			return err
		})
	}, nil
}
