package catalog

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Found is what one metric of one arm showed in one iteration: an entry of what is known
// of past experiments.
type Found struct {
	Experiment string    `json:"experiment"`
	Owner      string    `json:"owner"`
	Hypothesis string    `json:"hypothesis,omitempty"`
	Iteration  uint32    `json:"iteration"`
	Repeats    uint32    `json:"repeats,omitempty"`
	State      State     `json:"state"` // how the iteration stands, or how it ended
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	Call       Call      `json:"call"` // what its numbers said to do
	Goal       bool      `json:"goal"`
	Guardrail  bool      `json:"guardrail"`
	Effect
	Notes []string `json:"notes,omitempty"` // that people wrote beside the iteration
}

// id names an entry in a list.
func (f *Found) id() string {
	return strings.Join([]string{f.Experiment, strconv.FormatUint(uint64(f.Iteration), 10), f.Metric, f.Arm}, "/")
}

// size is how large the effect is, as a part of the control's mean; NaN where no such
// part is known.
func (f *Found) size() float64 { return math.Abs(f.Relative.Estimate.Float()) }

// FoundIn are the entries of one iteration; none where nobody has looked.
func FoundIn(s Subject, notes []string) []Found {
	if s.Document == nil || s.Iteration == nil {
		return nil
	}
	call, state := Decide(s).Call, StateOf(s.Iteration, s.Now)
	d := s.merged().Document
	out := make([]Found, 0, len(d.Comparisons))
	for i := range d.Comparisons {
		c := &d.Comparisons[i]
		e := EffectOf(c, d.At, c.Matured.Absolute.Estimate.Known())
		if !e.Absolute.Estimate.Known() {
			continue
		}
		out = append(out, Found{
			Experiment: s.Experiment.Key, Owner: s.Experiment.Owner, Hypothesis: s.Experiment.Hypothesis,
			Iteration: s.Iteration.Number, Repeats: s.Iteration.Repeats, State: state, Start: s.Iteration.Start, End: s.Iteration.End,
			Call: call, Goal: c.Goal, Guardrail: c.Guardrail, Effect: e, Notes: notes,
		})
	}
	return out
}

// Shown is what an effect was shown to be.
type Shown string

// What an interval can show.
const (
	Better  Shown = "better"
	Worse   Shown = "worse"
	Nothing Shown = "nothing" // the interval holds no effect too
)

// Shows says it of an effect.
func (e *Effect) Shows() Shown {
	switch e.Tone {
	case Good:
		return Better
	case Bad:
		return Worse
	}
	return Nothing
}

// FoundQuery narrows the entries; empty fields do not.
type FoundQuery struct {
	Text   string // in the key, the owner, the hypothesis or a note, in any case
	Metric string // its whole name
	Owner  string
	Shown  []Shown
	Least  float64 // size of the effect as a part of the control's mean
	Most   float64
	State  []State
	Call   []Call
	Goals  bool // goals alone
	Sort   FoundOrder
	After  string // where the page before ended
	Limit  int
}

// FoundOrder is how entries are sorted.
type FoundOrder string

// The orders; the zero value is ByEnd.
const (
	ByEnd  FoundOrder = "newest" // the iteration that ended last first
	BySize FoundOrder = "size"   // the largest first
)

// FoundPage is a stretch of the entries.
type FoundPage struct {
	Effects []Found `json:"items"`
	Of      int     `json:"of" doc:"Effects that the question finds, on all pages."`
	Next    string  `json:"next,omitempty" doc:"Send it as after for the next page; absent on the last one."`
}

// FindPast gives the entries that a query asks for.
func FindPast(all []Found, q FoundQuery) FoundPage {
	found := []Found{}
	for i := range all {
		if q.takes(&all[i]) {
			found = append(found, all[i])
		}
	}
	slices.SortStableFunc(found, q.compare)
	page := FoundPage{Effects: found, Of: len(found)}
	if q.After != "" {
		if i := slices.IndexFunc(found, func(f Found) bool { return f.id() == q.After }); i >= 0 {
			page.Effects = found[i+1:]
		}
	}
	if q.Limit > 0 && len(page.Effects) > q.Limit {
		page.Effects = page.Effects[:q.Limit]
		page.Next = page.Effects[q.Limit-1].id()
	}
	return page
}

func (q *FoundQuery) takes(f *Found) bool {
	size := f.size()
	return (q.Metric == "" || f.Metric == q.Metric) && (q.Owner == "" || f.Owner == q.Owner) && (!q.Goals || f.Goal) &&
		(len(q.Shown) == 0 || slices.Contains(q.Shown, f.Shows())) &&
		(q.Least == 0 || size >= q.Least) && (q.Most == 0 || size <= q.Most) && // no NaN is
		(len(q.State) == 0 || slices.Contains(q.State, f.State)) && (len(q.Call) == 0 || slices.Contains(q.Call, f.Call)) &&
		q.says(f)
}

func (q *FoundQuery) says(f *Found) bool {
	text := strings.ToLower(q.Text)
	return text == "" || slices.ContainsFunc(append([]string{f.Experiment, f.Owner, f.Hypothesis}, f.Notes...), func(s string) bool {
		return strings.Contains(strings.ToLower(s), text)
	})
}

func (q *FoundQuery) compare(a, b Found) int {
	order := b.End.Compare(a.End)
	if q.Sort == BySize {
		order = cmp.Compare(b.size(), a.size()) // NaN comes last
	}
	return cmp.Or(order, cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(b.Iteration, a.Iteration), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Arm, b.Arm))
}
