package config

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // images have no zones of their own

	"github.com/assay-dev/assay/internal/daily"
)

// Report is the report of each day. It goes over channels of notify.
type Report struct {
	Timezone string   `yaml:"timezone"` // whose days are reported, such as Europe/Berlin
	At       string   `yaml:"at"`       // time of day there, such as 08:00, at which the day before is written and sent; empty: only by hand
	Send     []string `yaml:"send"`     // email, slack; those that notify has when not given
	Email    []string `yaml:"email"`    // addresses; those of notify.email when not given
	Slack    string   `yaml:"slack"`    // id of the channel; that of notify.slack when not given
	URL      string   `yaml:"url"`      // where people find the reports, such as https://assay.example.com/reports; empty: the whole is attached to the mail
	CatchUp  int      `yaml:"catch_up"` // days that are still sent after a time without any sender
}

// Zone is the time zone.
func (r Report) Zone() (*time.Location, error) {
	if r.Timezone == "Local" {
		return nil, errors.New("report.timezone: Local depends on the machine: name a zone, such as Europe/Berlin")
	}
	zone, err := time.LoadLocation(r.Timezone)
	if err != nil {
		return nil, fmt.Errorf("report.timezone: %q is no zone: name one such as Europe/Berlin", r.Timezone)
	}
	return zone, nil
}

// Schedule says when reports are due. Without a time they are not.
func (r Report) Schedule() (s daily.Schedule, scheduled bool, err error) {
	if s.Zone, err = r.Zone(); err != nil {
		return s, false, err
	}
	s.CatchUp = r.CatchUp
	if r.At == "" {
		return s, false, nil
	}
	if s.At, err = daily.ParseClock(r.At); err != nil {
		return s, false, fmt.Errorf("report.at: %w", err)
	}
	return s, true, nil
}

// Over are the channels that the report goes over.
func (r Report) Over(n Notify) []string {
	if len(r.Send) > 0 {
		return r.Send
	}
	var all []string
	if n.Email != nil {
		all = append(all, "email")
	}
	if n.Slack != nil {
		all = append(all, "slack")
	}
	return all
}

// longestCatchUp keeps a start after months from sending months of mail.
const longestCatchUp = 31

func (r Report) check(n Notify) error {
	if _, _, err := r.Schedule(); err != nil {
		return err
	}
	if r.CatchUp < 1 || r.CatchUp > longestCatchUp {
		return fmt.Errorf("report.catch_up: %d is not between 1 and %d", r.CatchUp, longestCatchUp)
	}
	seen := map[string]bool{}
	for _, name := range r.Send {
		there := map[string]bool{"email": n.Email != nil, "slack": n.Slack != nil}
		has, known := there[name]
		switch {
		case !known || seen[name]:
			return fmt.Errorf("report.send: %q is not email or slack, or is there twice", name)
		case !has:
			return fmt.Errorf("report.send: notify.%s is not configured", name)
		}
		seen[name] = true
	}
	if r.URL == "" {
		return nil
	}
	return web("report.url", r.URL)
}
