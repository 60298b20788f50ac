package main

import (
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
)

// asAccount are the flags of commands that need another account than processes have.
type asAccount struct {
	User        string `help:"ClickHouse user, when it is another than the configured one." placeholder:"NAME"`
	PasswordEnv string `help:"Environment variable with that user's password." placeholder:"NAME"`
}

func (a asAccount) over(cfg *config.Config) {
	if a.User != "" {
		cfg.ClickHouse.User = a.User
		cfg.ClickHouse.Password = config.Secret{Env: a.PasswordEnv}
	}
}

type backupCmd struct {
	Name string `help:"Of the backup (default: the time, as 20260301-120000)." placeholder:"NAME"`
	Keep *int   `help:"Complete backups that stay, instead of backup.keep; older ones are removed." placeholder:"N"`
	List bool   `help:"Make none, name those that were made."`

	As asAccount `embed:""`
}

// Run copies all tables to where the configuration says.
func (c backupCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.As.over(&cfg)
	if c.Keep != nil {
		cfg.Backup.Keep = *c.Keep
	}
	return env.with(cfg, app.Options{}, func(s *app.Stack) error {
		if c.List {
			return c.list(env, s)
		}
		made, err := s.Backup(env.ctx, c.Name, time.Now())
		if err != nil {
			return err
		}
		return env.print(made, func() error {
			env.println("backup %s is complete: %d bytes, %d shards, schema %d", made.Name, made.Bytes, len(made.Vector), made.Schema)
			if len(made.Removed) > 0 {
				env.println("removed: %s", strings.Join(made.Removed, ", "))
			}
			if len(made.Left) > 0 {
				env.println("to be removed where they lie, since backup.folder names no place that is reached from here: %s", strings.Join(made.Left, ", "))
			}
			return nil
		})
	})
}

func (backupCmd) list(env *environment, s *app.Stack) error {
	made, err := s.Backups(env.ctx)
	if err != nil {
		return err
	}
	return env.print(made, func() error {
		for _, b := range made {
			env.println("%-24s  %s  %-8s  schema %d  %d bytes", b.Name, b.Begun.UTC().Format("2006-01-02 15:04:05"), b.State, b.Schema, b.Bytes)
		}
		return nil
	})
}

type restoreCmd struct {
	Name string `arg:"" help:"Of the backup, see assay backup --list."`
	All  bool   `help:"Every table, and not the ledger alone: after the loss of a server. Stop the guards meanwhile."`

	As asAccount `embed:""`
}

// restored is what a restore did.
type restored struct {
	Tables []clickhouse.Restored `json:"tables"`
	app.Reapplied
}

// Run restores while writers live.
func (c restoreCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	c.As.over(&cfg)
	return env.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		done, err := s.Restore(env.ctx, c.Name, c.All, func(what string) { s.Log.Info("restore", "step", what) })
		if err != nil {
			return err
		}
		erasures, err := s.Reapply(env.ctx, time.Now)
		if err != nil {
			return err
		}
		return env.print(restored{done, erasures}, func() error {
			for _, r := range done {
				env.println("%-16s %10d rows  %-9s  %s", r.Table, r.Rows, r.How, r.Node)
			}
			for _, e := range erasures.Again {
				env.println("erasure of %d units is asked again as request %d: the backup is of before it", e.Units, e.Request)
			}
			if erasures.Hold > 0 {
				env.println("%d requests of erasure hold: nothing of their units is counted; `assay erase run` deletes what has come back", erasures.Hold)
			}
			env.println("the ledger that was in use is ledger_replaced now, until the next restore; consumers read again from Kafka what came after the backup")
			return nil
		})
	})
}
