package experiment

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Change is one difference between two versions, in words for people.
type Change struct {
	Experiment string `json:"experiment,omitempty"` // "" for the catalogue of metrics
	Text       string `json:"text"`
	Counting   bool   `json:"counting"` // it changes what is counted
}

// String gives the text with the experiment before it.
func (c Change) String() string {
	if c.Experiment == "" {
		return c.Text
	}
	return c.Experiment + ": " + c.Text
}

// changes lists what differs between two versions, experiments first.
func changes(before, next *Version) []Change {
	var out []Change
	for i := range next.Experiments {
		is := &next.Experiments[i]
		c := &changeList{experiment: is.Key}
		if was := before.Find(is.Key); was == nil {
			c.add(true, "new, owned by %s", is.Owner)
			c.iterations(&Experiment{}, is)
		} else {
			c.words(was, is)
			c.design(was, is)
			c.measures(was, is)
			c.signals(was.Signals, is.Signals)
			c.iterations(was, is)
		}
		out = append(out, c.list...)
	}
	for _, was := range before.Experiments {
		if next.Find(was.Key) == nil {
			out = append(out, Change{was.Key, "withdrawn before its start", true})
		}
	}
	c := &changeList{}
	c.catalogue(before.Metrics, next.Metrics)
	return append(out, c.list...)
}

// changeList gathers the changes of one experiment.
type changeList struct {
	experiment string
	list       []Change
}

func (c *changeList) add(counting bool, format string, args ...any) {
	c.list = append(c.list, Change{c.experiment, fmt.Sprintf(format, args...), counting})
}

// words compares what is only read by people.
func (c *changeList) words(was, is *Experiment) {
	for _, f := range []struct{ what, was, is string }{
		{"owner", was.Owner, is.Owner},
		{"readers", strings.Join(was.Readers, ", "), strings.Join(is.Readers, ", ")},
		{"kill switch", was.KillSwitch, is.KillSwitch},
		{"flag link", was.Links.Flag, is.Links.Flag},
		{"change link", was.Links.Change, is.Links.Change},
		{"schema link", was.Links.Schema, is.Links.Schema},
		{"reviews", reviewsText(was.Reviews), reviewsText(is.Reviews)},
		{"stop_when", was.StopWhen.String(), is.StopWhen.String()},
		{"stale", was.Stale.String(), is.Stale.String()},
		{"approvals", approvalsText(was.Approvals), approvalsText(is.Approvals)},
		{"recomputed assignment", was.Assignment.recomputed(), is.Assignment.recomputed()},
	} {
		if f.was != f.is {
			c.add(false, "%s %q → %q", f.what, f.was, f.is)
		}
	}
	for _, f := range []struct{ what, was, is string }{
		{"objective", was.Objective, is.Objective},
		{"hypothesis", was.Hypothesis, is.Hypothesis},
		{"success criteria", was.SuccessCriteria, is.SuccessCriteria},
		{"rollback plan", was.RollbackPlan, is.RollbackPlan},
		{"privacy review", was.PrivacyReview, is.PrivacyReview},
	} {
		if f.was != f.is {
			c.add(false, "%s reworded", f.what)
		}
	}
}

// design compares what is fixed while an iteration runs; it holds for the
// iterations that begin from now on.
func (c *changeList) design(was, is *Experiment) {
	a, b := designFacts(was), designFacts(is)
	for i := range a {
		if a[i].is != b[i].is {
			c.add(false, "%s %s → %s", b[i].what, a[i].is, b[i].is)
		}
	}
}

// measures compares goals and guardrails.
func (c *changeList) measures(was, is *Experiment) {
	for _, g := range is.Goals {
		if !slices.Contains(was.Goals, g) {
			c.add(false, "new goal %s", g)
		}
	}
	for _, g := range was.Goals {
		if !slices.Contains(is.Goals, g) {
			c.add(false, "goal %s taken out", g)
		}
	}
	if len(was.Goals) == len(is.Goals) && !slices.Equal(was.Goals, is.Goals) {
		c.add(false, "goals in another order")
	}
	for _, g := range is.Guardrails {
		i := slices.IndexFunc(was.Guardrails, func(o Guardrail) bool { return o.Metric == g.Metric })
		if i < 0 {
			c.add(false, "new guardrail %s (%s)", g.Metric, g.Mode)
			continue
		}
		c.guardrail(was.Guardrails[i], g)
	}
	if a, b := was.Checks.onAlarmText(), is.Checks.onAlarmText(); a != "" && b != "" && a != b {
		c.add(false, "crossovers above their limit: %s → %s", a, b)
	}
	for _, g := range was.Guardrails {
		if !slices.ContainsFunc(is.Guardrails, func(o Guardrail) bool { return o.Metric == g.Metric }) {
			c.add(false, "guardrail %s taken out", g.Metric)
		}
	}
}

func (c *changeList) guardrail(was, is Guardrail) {
	if was.Mode != is.Mode {
		c.add(false, "guardrail %s: %s → %s", is.Metric, was.Mode, is.Mode)
	}
	a, b := guardrailFacts(was), guardrailFacts(is)
	for k := range a {
		if a[k].is != b[k].is {
			c.add(false, "guardrail %s: %s %s → %s", is.Metric, b[k].what, a[k].is, b[k].is)
		}
	}
}

// catalogue compares the metrics' texts.
func (c *changeList) catalogue(was, is []Metric) {
	find := func(list []Metric, name string) *Metric {
		i := slices.IndexFunc(list, func(m Metric) bool { return m.Name == name })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	for _, m := range is {
		if old := find(was, m.Name); old == nil {
			c.add(false, "new metric %s", m.Name)
		} else if !reflect.DeepEqual(*old, m) {
			c.add(false, "metric %s edited; it holds for iterations that start from now on", m.Name)
		}
	}
	for _, m := range was {
		if find(is, m.Name) == nil {
			c.add(false, "metric %s taken out", m.Name)
		}
	}
}

func approvalsText(n int) string {
	if n == 0 {
		return "the operator's"
	}
	return strconv.Itoa(n)
}
