package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/doctor"
)

type doctorCmd struct {
	Samples int `help:"Records of each topic to look at." default:"2000" placeholder:"N"`
}

// Run looks at topics, records, clocks, shards, tables and switches, and changes
// nothing. It fails when something is at fault.
func (c doctorCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Kafka: true, Migrate: true}, func(s *app.Stack) error {
		findings, err := s.Doctor(env.ctx, c.Samples, time.Now())
		if err != nil {
			return err
		}
		doctor.Sort(findings)
		if err := env.print(findings, func() error { return c.show(env, findings) }); err != nil {
			return err
		}
		if doctor.Worst(findings) == doctor.Fault {
			return app.WithHint(errors.New("something is at fault"), "each line that begins with fault says what to do")
		}
		return nil
	})
}

func (c doctorCmd) show(env *environment, findings []doctor.Finding) error {
	for _, f := range findings {
		env.println("%-5s  %-12s %-24s %s", f.Level, f.Check, f.Subject, f.Detail)
		if f.Remedy != "" {
			env.println("%s", fmt.Sprintf("%45s→ %s", "", f.Remedy))
		}
	}
	return nil
}
