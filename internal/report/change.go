package report

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// Change is what is different from the end of the day before.
type Change struct {
	First   bool           // there was no look before
	Lines   []string       // in words: a new iteration, another call, units, verdicts
	Effects []effectChange // of the same iteration
	New     []string       // warnings that were not there
	Gone    []string       // and those that are not there any more
}

// effectChange is one metric of one arm, then and now.
type effectChange struct {
	Metric, Arm string
	Then, Now   string
	Tone        string // of now
}

// Quiet tells whether nothing has changed that is worth a line.
func (c Change) Quiet() bool {
	return !c.First && len(c.Lines) == 0 && len(c.New) == 0 && len(c.Gone) == 0
}

// Change holds the day's last look against that of the day before. Both were stored when
// they were taken.
func (e Entry) Change() Change {
	now, then := e.Document, e.Before
	switch {
	case now == nil:
		return Change{}
	case then == nil:
		return Change{First: true, Lines: []string{fmt.Sprintf("%s units are in.", words.Count(catalog.UnitsOf(now)))}}
	case then.Iteration != now.Iteration:
		return Change{Lines: []string{fmt.Sprintf("Iteration %d began; %s units are in. It starts from nothing: what iteration %d showed is not in it.",
			now.Iteration, words.Count(catalog.UnitsOf(now)), then.Iteration)}}
	}
	c := Change{Lines: e.turns(then, now)}
	for i := range now.Comparisons {
		if x, ok := effectThenAndNow(then, now, &now.Comparisons[i]); ok {
			c.Effects = append(c.Effects, x)
		}
	}
	c.New, c.Gone = differing(doubts(then), doubts(now))
	return c
}

// turns are the words that are others now, and the units that came.
func (e Entry) turns(then, now *results.Document) []string {
	var lines []string
	before := e
	before.Document, before.Until = then, e.Since
	if a, b := before.Box(), e.Box(); a.Call != b.Call {
		lines = append(lines, fmt.Sprintf("What to do: %s; the day before it was: %s.", b.Call, a.Call))
	}
	if gained := catalog.UnitsOf(now) - catalog.UnitsOf(then); gained != 0 {
		lines = append(lines, fmt.Sprintf("%s units, %s now.", words.SignedCount(gained), words.Count(catalog.UnitsOf(now))))
	} else {
		lines = append(lines, "No new units.")
	}
	for _, v := range now.Verdicts {
		i := slices.IndexFunc(then.Verdicts, func(o results.Verdict) bool { return o.Metric == v.Metric && o.Arm == v.Arm })
		switch {
		case i < 0:
			lines = append(lines, fmt.Sprintf("Guardrail %s in %s is new: %s.", v.Metric, v.Arm, v.Verdict))
		case then.Verdicts[i].Verdict != v.Verdict:
			lines = append(lines, fmt.Sprintf("Guardrail %s in %s: %s, where it was %s.", v.Metric, v.Arm, v.Verdict, then.Verdicts[i].Verdict))
		}
	}
	return lines
}

// effectThenAndNow is a metric's effect on both days; not ok where one has none.
func effectThenAndNow(then, now *results.Document, c *results.Comparison) (effectChange, bool) {
	i := slices.IndexFunc(then.Comparisons, func(o results.Comparison) bool { return o.Metric == c.Metric && o.Arm == c.Arm })
	if i < 0 || c.Overflow > 0 || then.Comparisons[i].Overflow > 0 {
		return effectChange{}, false
	}
	text := func(e catalog.Effect) string {
		if !e.Complete {
			return e.Text + ", so far"
		}
		return e.Text + ", units whose time is over"
	}
	e := effectOf(c, now)
	return effectChange{Metric: c.Metric, Arm: c.Arm, Then: text(effectOf(&then.Comparisons[i], then)), Now: text(e), Tone: string(e.Tone)}, true
}

// differing are the texts that only one list has.
func differing(then, now []string) (added, gone []string) {
	without := func(all, others []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(others, s) })
	}
	return without(now, then), without(then, now)
}
