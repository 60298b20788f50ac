package main

import (
	"errors"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/doctor"
)

type doctorCmd struct {
	Samples int    `help:"Records of each topic to look at." default:"2000" placeholder:"N"`
	Topic   string `help:"Only say which mapping fits this topic; it need not be declared." placeholder:"NAME"`
	Notify  bool   `help:"Also send a test message over every channel to people, and resolve it."`
}

// Run looks at topics, records, clocks, shards, tables, switches and channels, and
// changes nothing. It fails when something is at fault.
func (c doctorCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	return env.with(cfg, app.Options{Kafka: true, Migrate: true}, func(s *app.Stack) error {
		report, err := s.Doctor(env.ctx, c.Samples, c.Topic, c.Notify, time.Now())
		if err != nil {
			return err
		}
		if err := env.print(report, func() error { showFindings(env, report); return nil }); err != nil {
			return err
		}
		if doctor.Worst(report.Findings) == doctor.Fault {
			return app.WithHint(errors.New("something is at fault"), "each line that begins with fault says what to do")
		}
		return nil
	})
}

func showFindings(env *environment, report doctor.Report) {
	for _, f := range report.Findings {
		env.println("%-5s  %-12s %-24s %s", f.Level, f.Check, f.Subject, f.Detail)
		if f.Remedy != "" {
			env.println("%45s→ %s", "", f.Remedy)
		}
	}
	for _, d := range report.Drafts {
		env.println("\na draft of a mapping for topic %s, to be finished:\n%s", d.Topic, d.Text)
	}
}
