package report

import (
	"fmt"
	"io"
	"strings"
)

// letter is what the mail's template shows.
type letter struct {
	Day
	Chapters []chapter
	Alarms   []string
	Span     string
	Tail     string
}

// MailHTML writes the day as simply as mail programs need it: no plots, no styles but
// those of each element.
func MailHTML(w io.Writer, d Day) error {
	t, err := parse(d.Zone)
	if err != nil {
		return err
	}
	l := letter{Day: d, Chapters: d.chapters(), Alarms: d.alarms(), Span: d.span(), Tail: d.end()}
	if err := t.ExecuteTemplate(w, "mail", l); err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	return nil
}

// Lines are the day for a chat: a line for each experiment, the urgent first.
func Lines(d Day) []string {
	all := d.alarms()
	chapters := d.chapters()
	for _, tone := range []string{"bad", "good", "warn", "none"} {
		for _, c := range chapters {
			if c.Tone != tone {
				continue
			}
			line := fmt.Sprintf("%s: %s. %s.", c.Key, c.Call, strings.TrimSuffix(c.Text, "."))
			if c.Main != "" && !strings.Contains(c.Text, "(") { // the text has the numbers already
				line += " " + c.Main + "."
			}
			all = append(all, line)
		}
	}
	return all
}

// Link is where people find the report of the day; "" where nobody said.
func (d Day) Link() string {
	if d.URL == "" {
		return ""
	}
	return strings.TrimSuffix(d.URL, "/") + "/" + d.Date.String() + "/index.html"
}
