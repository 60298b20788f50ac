package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
)

type reportCmd struct {
	Day      string `help:"Day of the report: 2026-03-01, today or yesterday (default: today; with --send: yesterday)." placeholder:"DAY"`
	Timezone string `help:"Time zone of the day, such as Europe/Berlin (default: report.timezone)." placeholder:"ZONE"`
	Format   string `help:"html: an index and a page for each experiment; markdown or text: one document." enum:"html,markdown,text" default:"html"`
	Out      string `help:"Where to: a folder in which the day's is made, or for one document a file; html into a file that ends in .html is all of it in one (default: the day's folder below reports; markdown and text: standard output)." type:"path" placeholder:"PATH"`
	Send     bool   `help:"Send it by mail and to Slack now, as the schedule would; it then does not again."`

	Bayes   bool    `help:"Show posteriors as well, as analyze does."`
	PriorSD float64 `name:"prior-sd" help:"With --bayes: standard deviation of a normal prior on the lift (default: a flat prior)." placeholder:"SD"`
}

// Help says what a report rests on.
func (reportCmd) Help() string {
	return manual("Writes the report of a day in a time zone: what to do about each experiment in plain words, what changed since the day before, how long it takes yet, and the numbers below. It reads the looks that were stored by the end of the day, so that a day that is over has one report, to the byte; of a day that goes on a look is taken first. The guard writes and sends it by itself where report.at is set (docs/reports.md).",
		[]string{"assay report", "assay report --day 2026-03-01 --timezone Europe/Berlin", "assay report --day yesterday --format text", "assay report --out report.html", "assay report --send"},
		"1 also when a channel did not take it")
}

// Run writes the day's report, or sends it.
func (c reportCmd) Run(env *environment) error {
	if err := checkPrior(c.Bayes, c.PriorSD); err != nil {
		return err
	}
	return env.withVersion(func(s *app.Stack, _ *experiment.Version) error {
		o, date, err := c.day(s, time.Now())
		if err != nil {
			return usage(err)
		}
		if c.Send {
			return c.send(env, s, date, o)
		}
		day, err := s.Day(env.ctx, date, time.Now(), o)
		if err != nil {
			return err
		}
		return c.write(env, s, day)
	})
}

// day reads which one is meant, and where.
func (c reportCmd) day(s *app.Stack, now time.Time) (o app.ReportOptions, date daily.Date, err error) {
	o = app.ReportOptions{Bayes: c.Bayes, PriorSD: c.PriorSD}
	settings := s.Config.Report
	if c.Timezone != "" {
		settings.Timezone = c.Timezone
	}
	if o.Zone, err = settings.Zone(); err != nil {
		if c.Timezone != "" {
			err = app.WithHint(fmt.Errorf("--timezone %s is no time zone", c.Timezone), "write Europe/Berlin, America/New_York or UTC")
		}
		return o, date, err
	}
	date = daily.DateOf(now, o.Zone)
	switch {
	case c.Day == "yesterday", c.Day == "" && c.Send:
		return o, date.Add(-1), nil
	case c.Day == "today", c.Day == "":
		return o, date, nil
	}
	date, err = daily.Parse(c.Day)
	return o, date, err
}

// write puts the report where it was asked for.
func (c reportCmd) write(env *environment, s *app.Stack, day report.Day) error {
	file, err := c.file(env, s, day)
	if err != nil || file == "" {
		return err
	}
	done := map[string]any{"file": file, "day": day.Date.String(), "timezone": day.Where(), "experiments": len(day.Experiments)}
	return env.print(done, func() error {
		env.println("%s (%d experiments, %s)", file, len(day.Experiments), day.Date)
		return nil
	})
}

// file writes it and returns what to open; "" when it went to standard output.
func (c reportCmd) file(env *environment, s *app.Stack, day report.Day) (string, error) {
	switch one := c.Format != "html" || filepath.Ext(c.Out) == ".html"; {
	case one && c.Out == "" && env.globals.JSON:
		var b bytes.Buffer
		if err := app.WriteForm(&b, day, c.Format); err != nil {
			return "", err
		}
		return "", env.print(map[string]string{"day": day.Date.String(), "timezone": day.Where(), c.Format: b.String()}, nil)
	case one && c.Out == "":
		return "", app.WriteForm(env.out, day, c.Format)
	case one:
		return c.Out, app.WriteFile(c.Out, func(w io.Writer) error { return app.WriteForm(w, day, c.Format) })
	case c.Out != "":
		return app.WriteDay(day, c.Out)
	}
	return app.WriteDay(day, s.Config.Reports)
}

// send sends it over every channel and says how that went.
func (c reportCmd) send(env *environment, s *app.Stack, date daily.Date, o app.ReportOptions) error {
	sent, err := s.SendReport(env.ctx, date, o)
	if err != nil {
		return err
	}
	failed := false
	for _, x := range sent {
		failed = failed || x.State == string(daily.Failed)
	}
	err = env.print(map[string]any{"day": date.String(), "channels": sent}, func() error {
		for _, x := range sent {
			env.println("%s  %s  %s %s", date, x.Channel, x.State, x.Detail)
		}
		return nil
	})
	if err == nil && failed {
		err = fmt.Errorf("the report of %s did not get through everywhere", date)
	}
	return err
}
