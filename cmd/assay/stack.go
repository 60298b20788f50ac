package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
)

// with opens what a command needs, runs it and closes everything again.
func (e *environment) with(cfg config.Config, opt app.Options, f func(*app.Stack) error) (err error) {
	opt.Code, opt.Log = version, e.log(cfg)
	s, err := app.Open(e.ctx, cfg, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(s)
}

// withVersion also reads the configuration in force.
func (e *environment) withVersion(f func(*app.Stack, *experiment.Version) error) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	return e.with(cfg, app.Options{Migrate: true}, func(s *app.Stack) error {
		v, err := s.DB.Version(e.ctx)
		if err != nil {
			return fmt.Errorf("read the configuration in force: %w", err)
		}
		if v.Number == 0 {
			return app.WithHint(errors.New("no configuration is in force"), "run `assay apply` to put the experiment files in force")
		}
		return f(s, &v)
	})
}

// find returns an experiment of the configuration in force.
func find(v *experiment.Version, key string) (*experiment.Experiment, error) {
	if e := v.Find(key); e != nil {
		return e, nil
	}
	var known []string
	for i := range v.Experiments {
		known = append(known, v.Experiments[i].Key)
	}
	return nil, usage(app.WithHint(fmt.Errorf("no experiment %q in version %d", key, v.Number), fmt.Sprintf("there are: %v", known)))
}

// usageIfProblems marks what is wrong with files as such.
func usageIfProblems(err error) error {
	var p experiment.Problems
	if errors.As(err, &p) {
		return usage(err)
	}
	return err
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(env *environment) error {
	return env.print(map[string]string{"version": version}, func() error {
		env.println("assay %s", version)
		return nil
	})
}

// AsUser names an account with more rights than the processes have.
type AsUser struct {
	User        string `help:"ClickHouse user that may create tables, when it is another than the configured one." placeholder:"NAME"`
	PasswordEnv string `help:"Environment variable with that user's password." placeholder:"NAME"`
}

func (u AsUser) over(cfg *config.Config) {
	if u.User != "" {
		cfg.ClickHouse.User = u.User
		cfg.ClickHouse.Password = config.Secret{Env: u.PasswordEnv}
	}
}

type migrateCmd struct {
	AsUser
	Adopt      string `help:"Hand the shards of a server that was alone to this node, which is on the same server." placeholder:"NODE"`
	PrintUsers bool   `help:"Print the statements that make the accounts of a server, with their grants and limits, and do nothing."`
}

// Run brings the tables to this version's schema.
func (c migrateCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	if c.PrintUsers {
		text, err := app.Users(cfg)
		if err != nil {
			return err
		}
		return env.print(map[string]string{"statements": text}, func() error {
			env.println("%s", strings.TrimSpace(text))
			return nil
		})
	}
	c.over(&cfg)
	if c.Adopt != "" && len(cfg.ClickHouse.Nodes) == 0 {
		return usage(app.WithHint(errors.New("--adopt: there are no nodes"), "name them in clickhouse.nodes"))
	}
	return env.with(cfg, app.Options{Migrate: true, Adopt: c.Adopt}, func(s *app.Stack) error {
		n, err := s.DB.SchemaVersion(env.ctx)
		if err != nil {
			return fmt.Errorf("read the schema's version: %w", err)
		}
		return env.print(map[string]int64{"schema": n}, func() error {
			env.println("the tables are at schema %d", n)
			return nil
		})
	})
}
