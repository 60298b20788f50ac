package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// Backed is what a backup did.
type Backed struct {
	clickhouse.Backup
	Removed []string `json:"removed,omitempty"` // older backups
	Left    []string `json:"left,omitempty"`    // that should be removed, and are where this process does not reach
}

// Backup copies the tables and removes the backups that are too many then. The name is
// made of the time when there is none.
func (s *Stack) Backup(ctx context.Context, name string, now time.Time) (Backed, error) {
	db, err := s.connect(ctx, s.backupAccount())
	if err != nil {
		return Backed{}, err
	}
	made, err := db.Backup(ctx, cmp.Or(name, now.UTC().Format("20060102-150405")), clickhouse.Destination(s.Config.Backup.To))
	if err != nil {
		return Backed{}, WithHint(fmt.Errorf("back up: %w", err),
			"the account needs BACKUP and SELECT on the tables (deploy/clickhouse/users.xml: assay_backup), the server a place to write to (deploy/clickhouse/config.xml: backups)")
	}
	out := Backed{Backup: made}
	out.Removed, out.Left, err = s.retainBackups(ctx, db)
	return out, err
}

// Backups are those that were made, the newest first.
func (s *Stack) Backups(ctx context.Context) ([]clickhouse.Backup, error) {
	db, err := s.connect(ctx, s.backupAccount())
	if err != nil {
		return nil, err
	}
	return db.Backups(ctx)
}

// backupAccount is the least that can; the note of a process of before names none.
func (s *Stack) backupAccount() Account {
	if s.endpoints.Backup.Name == "" {
		return s.endpoints.Admin
	}
	return s.endpoints.Backup
}

// retainBackups removes complete backups beyond the number that is kept, the oldest
// first, and whatever was begun before the oldest that stays. No server removes a
// backup by a statement, so that somebody has to reach its files.
func (s *Stack) retainBackups(ctx context.Context, db *clickhouse.DB) (removed, left []string, err error) {
	made, err := db.Backups(ctx)
	if err != nil || s.Config.Backup.Keep == 0 {
		return nil, nil, err
	}
	folder := s.backupFolder()
	kept := 0
	for _, b := range made {
		if b.State == clickhouse.BackupComplete {
			kept++
		}
		over := kept > s.Config.Backup.Keep || kept == s.Config.Backup.Keep && b.State != clickhouse.BackupComplete
		if b.State == clickhouse.BackupRemoved || !over {
			continue
		}
		if folder == "" {
			left = append(left, b.Name)
			continue
		}
		if err := os.RemoveAll(filepath.Join(folder, b.Name)); err != nil {
			return removed, left, fmt.Errorf("remove backup %s: %w", b.Name, err)
		}
		b.State = clickhouse.BackupRemoved
		if err := db.NoteBackup(ctx, b); err != nil {
			return removed, left, err
		}
		removed = append(removed, b.Name)
	}
	return removed, left, nil
}

// backupFolder is where this process finds backups; "" where it does not.
func (s *Stack) backupFolder() string {
	if s.Config.Backup.Folder != "" || len(s.Config.ClickHouse.Addresses) > 0 {
		return s.Config.Backup.Folder
	}
	return filepath.Join(s.Config.Data, "clickhouse", "backups")
}

// Restore brings the ledger, or all tables, back from a backup.
func (s *Stack) Restore(ctx context.Context, name string, all bool, tell func(string)) ([]clickhouse.Restored, error) {
	db, err := s.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return nil, err
	}
	done, err := db.Restore(ctx, clickhouse.RestoreSpec{Name: name, From: clickhouse.Destination(s.Config.Backup.To), All: all, Tell: tell})
	if errors.Is(err, clickhouse.ErrNotFound) {
		err = WithHint(err, "`assay backup --list` names the backups that were made")
	}
	return done, err
}
