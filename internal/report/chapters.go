package report

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/words"
)

// chapter is one experiment in words, for the forms that have no plots.
type chapter struct {
	Key, Owner string
	Call, Tone string
	Text       string
	Main       string // metric, arm and effect of the main metric; "" without numbers
	Waiting    string
	Lists      []list
}

// list is some sentences under a heading.
type list struct {
	Title string
	Items []string
}

// chapters are the experiments of the day.
func (d Day) chapters() []chapter {
	var all []chapter
	for _, e := range d.Experiments {
		e.zone = d.Zone
		all = append(all, e.chapter())
	}
	return all
}

func (e Entry) chapter() chapter {
	row, box := e.Row(), e.Box()
	c := chapter{Key: row.Key, Owner: row.Owner, Call: callWord(box.Call, e.Document), Tone: callTone(box.Call), Text: box.Text, Waiting: e.Waiting()}
	if m := row.Main; m != nil {
		c.Main = fmt.Sprintf("%s in %s: %s", m.Metric, m.Arm, m.Text)
		if !m.Complete {
			c.Main += ", so far"
		}
	}
	add := func(title string, items []string) {
		if len(items) > 0 {
			c.Lists = append(c.Lists, list{title, items})
		}
	}
	if e.Document != nil {
		var plain []string
		for _, s := range sayings(e.Document) {
			plain = append(plain, s.Text)
		}
		add("In plain words", plain)
	}
	add("Reminders", reminders(e.Due))
	add("Since the day before", e.Change().sentences())
	var decisions, reasons []string
	for _, d := range e.Decisions {
		decisions = append(decisions, strings.TrimSuffix(fmt.Sprintf("%s, no. %d, %s by %s: %s", e.Clock(d.At), d.Seq, d.Kind, d.Actor, d.Text), ": "))
	}
	add("Decisions of the day", decisions)
	for _, r := range box.Reasons {
		reasons = append(reasons, r.Text)
	}
	add("What that rests on", reasons)
	if e.Document != nil {
		add("Warnings", doubts(e.Document))
	}
	return c
}

// reminders are what is due, each with what to do.
func reminders(dues []governance.Due) []string {
	out := make([]string, len(dues))
	for i, d := range dues {
		out[i] = d.Text + "; " + d.Do
	}
	return out
}

// sentences tell the change without a table.
func (c Change) sentences() []string {
	var all []string
	if c.First {
		all = append(all, "There was no look before.")
	}
	all = append(all, c.Lines...)
	for _, x := range c.Effects {
		all = append(all, fmt.Sprintf("%s in %s: %s; it was %s.", x.Metric, x.Arm, x.Now, x.Then))
	}
	for _, w := range c.New {
		all = append(all, "New warning: "+w)
	}
	for _, w := range c.Gone {
		all = append(all, "No longer: "+w)
	}
	return all
}

// span says which day it is.
func (d Day) span() string {
	asOf := "no look was taken by then"
	if !d.AsOf.IsZero() {
		asOf = "numbers as of " + d.Clock(d.AsOf)
	}
	return fmt.Sprintf("The day in %s: %s to %s, %s; %s.", d.Where(), d.Clock(d.From), d.Clock(d.To), d.Hours(), asOf)
}

// alarms are what makes all numbers doubtful.
func (d Day) alarms() []string {
	var all []string
	if d.Difference != 0 {
		all = append(all, fmt.Sprintf("The counts do not add up: %d records are unaccounted for. Do not use these numbers.", d.Difference))
	}
	for _, g := range d.Gaps {
		all = append(all, "Gap: "+g)
	}
	return all
}

// data are the sentences about what was read.
func (d Day) data() []string {
	var all []string
	for _, r := range d.Records {
		all = append(all, fmt.Sprintf("%s: %s records read, %s of them no events, %s in the wrong partition.",
			r.Topic, words.Count(int64(r.Records)), words.Count(int64(r.Dead)), words.Count(int64(r.Misplaced))))
	}
	if len(all) == 0 {
		all = append(all, "Nothing was read.")
	}
	if d.Difference == 0 {
		all = append(all, "Of every record that was read it is known what became of it.")
	}
	return all
}

// ended are the experiments that came to their end before the day.
func (d Day) ended() []string {
	var all []string
	for _, e := range d.Over {
		all = append(all, fmt.Sprintf("%s (%s): %s", e.Experiment.Key, e.Experiment.Owner, e.Box().Text))
	}
	return all
}

// end names the day once more where it ends, for who wants to check it.
func (d Day) end() string {
	head := d.Head
	if head == "" {
		head = words.Unknown
	}
	return fmt.Sprintf("assay %s · decision log head %s · reconciliation difference %d", d.Code, head, d.Difference)
}
