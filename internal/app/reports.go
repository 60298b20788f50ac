package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/notify"
	"github.com/assay-dev/assay/internal/report"
)

// reportsEvery is how often it is asked whether a report is due.
const reportsEvery = 20 * time.Second

// largestAttachment is what mail servers take as a rule, before it is encoded.
const largestAttachment = 7 << 20

// Reports writes the report of each day into the reports folder once it is due, and sends
// it if asked to, until the context ends. Without report.at it does nothing.
func (s *Stack) Reports(send bool) (Part, error) {
	schedule, scheduled, err := s.Config.Report.Schedule()
	if err != nil {
		return nil, err
	}
	if !scheduled {
		return func(ctx context.Context) error { <-ctx.Done(); return nil }, nil
	}
	c, err := s.courier(schedule, send)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return s.rounds(ctx, "daily report", reportsEvery, func(ctx context.Context, now time.Time) error {
			return errors.Join(s.writeDue(ctx, schedule, now), c.round(ctx))
		})
	}, nil
}

// courier makes the one who sends; without send it has nobody to send to.
func (s *Stack) courier(schedule daily.Schedule, send bool) (*courier, error) {
	c := &courier{schedule: schedule, log: s.DB, actor: cmp.Or(s.Config.Guard.Instance, instance()), now: time.Now, logger: s.Log}
	var last struct { // the same letter goes over every channel
		day    daily.Date
		letter notify.Letter
	}
	c.letter = func(ctx context.Context, day daily.Date) (notify.Letter, error) {
		if last.day == day {
			return last.letter, nil
		}
		l, err := s.letter(ctx, day, schedule.Due(day), ReportOptions{Zone: schedule.Zone, Keep: true}, c.now())
		if err == nil {
			last.day, last.letter = day, l
		}
		return l, err
	}
	if !send {
		return c, nil
	}
	var err error
	c.over, err = addressesOf(s.Config.Report, s.Config.Notify)
	return c, err
}

// writeDue writes the pages of the newest day whose report is due, unless they are there.
func (s *Stack) writeDue(ctx context.Context, schedule daily.Schedule, now time.Time) error {
	date := schedule.Last(now)
	if _, err := os.Stat(filepath.Join(s.Config.Reports, date.String(), "index.html")); err == nil {
		return nil
	}
	day, err := s.Day(ctx, date, now, ReportOptions{Zone: schedule.Zone})
	if errors.Is(err, errNoConfiguration) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("collect the report of %s: %w", date, err)
	}
	_, err = WriteDay(day, s.Config.Reports)
	return err
}

// letter is the report of a day as it is sent.
func (s *Stack) letter(ctx context.Context, date daily.Date, at time.Time, o ReportOptions, now time.Time) (notify.Letter, error) {
	day, err := s.Day(ctx, date, now, o)
	if err != nil {
		return notify.Letter{}, fmt.Errorf("collect the report of %s: %w", date, err)
	}
	return letterOf(day, at)
}

// letterOf puts a day into a letter. Where people find the report there is a link, else
// the whole of it is attached.
func letterOf(day report.Day, at time.Time) (notify.Letter, error) {
	l := notify.Letter{Key: "report/" + day.Date.String() + "/" + day.Where(), At: at, Title: "[assay] " + day.Title(), Lines: report.Lines(day)}
	var text, html, whole bytes.Buffer
	if err := errors.Join(report.Plain(&text, day), report.MailHTML(&html, day)); err != nil {
		return l, err
	}
	l.Text, l.HTML = text.String(), html.String()
	if link := day.Link(); link != "" {
		l.Link = notify.Link{Name: "the whole report", URL: link}
		return l, nil
	}
	if err := report.HTML(&whole, day); err != nil {
		return l, err
	}
	if whole.Len() > largestAttachment {
		note := fmt.Sprintf("The whole report is too large to be attached (%d MB); report.url can link to it.", whole.Len()>>20)
		l.Text = note + "\n\n" + l.Text
		return l, nil
	}
	l.File = &notify.File{Name: "assay-" + day.Date.String() + ".html", Type: "text/html; charset=utf-8", Content: whole.Bytes()}
	return l, nil
}

// addressesOf are the channels of the report, with recipients of their own if it has any.
func addressesOf(r config.Report, n config.Notify) ([]address, error) {
	if n.Email != nil && len(r.Email) > 0 {
		email := *n.Email
		email.To, n.Email = r.Email, &email
	}
	if n.Slack != nil && r.Slack != "" {
		slack := *n.Slack
		slack.Channel, n.Slack = r.Slack, &slack
	}
	ways, err := waysOf(config.Notify{Email: n.Email, Slack: n.Slack})
	if err != nil {
		return nil, fmt.Errorf("report: notify.%w", err)
	}
	var all []address
	for _, name := range r.Over(n) {
		for _, w := range ways {
			if c, ok := w.Channel.(notify.Correspondent); ok && w.Name == name {
				all = append(all, address{name, c})
			}
		}
	}
	return all, nil
}

// Sent is how sending a report over one channel went.
type Sent struct {
	Channel string `json:"channel"`
	State   string `json:"state"`
	Detail  string `json:"detail,omitempty"`
}

// SendReport sends the report of a day now, whether it was sent before or not, and notes
// it, so that the schedule does not send it again.
func (s *Stack) SendReport(ctx context.Context, date daily.Date, o ReportOptions) ([]Sent, error) {
	schedule, _, err := s.Config.Report.Schedule()
	if err != nil {
		return nil, err
	}
	c, err := s.courier(schedule, true)
	if err != nil {
		return nil, err
	}
	if len(c.over) == 0 {
		return nil, WithHint(errors.New("there is nobody to send the report to"), "configure notify.email or notify.slack in assay.yaml (docs/reports.md)")
	}
	now := time.Now()
	c.letter = func(ctx context.Context, day daily.Date) (notify.Letter, error) {
		return s.letter(ctx, day, now, o, now)
	}
	return c.byHand(ctx, date)
}

// WriteForm writes a day in one of the forms: html (all in one file), markdown, text.
func WriteForm(w io.Writer, day report.Day, form string) error {
	switch form {
	case "markdown":
		return report.Markdown(w, day)
	case "text":
		return report.Plain(w, day)
	}
	return report.HTML(w, day)
}
