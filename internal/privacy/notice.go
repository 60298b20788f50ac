// Package privacy says of one experiment what is stored of whom, why, until when and
// who may read it: from its file and the operator's configuration, so that it cannot
// say something else than what is done.
package privacy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Terms are the operator's.
type Terms struct {
	Attributes   []string // the allow-list
	Sensitive    []string // those of it that want a reason
	Topics       []string
	Verify       map[string]string        // of topics: accept, require
	DeadLetters  string                   // topic of notes; "": none
	SmallestCell int64                    // below so many units exports show nothing; 0: they show everything
	Retention    map[string]time.Duration // how long events are kept, by unit kind; all: of the others
	Backups      int                      // how many are kept; 0: nothing is said about it
}

// Notice is what is done with the units of an experiment.
type Notice struct {
	Experiment string      `json:"experiment"`
	Owner      string      `json:"owner"`
	UnitKind   string      `json:"unit_kind"`
	Version    uint32      `json:"version"` // of the configuration
	Consent    string      `json:"consent"` // none, granted, not_denied
	Population string      `json:"population"`
	Attributes []Attribute `json:"attributes"`
	Events     []Use       `json:"events"`
	Kept       []Kept      `json:"kept"`
	Readers    []Reader    `json:"readers"`
	// Findings are what should not stay as it is.
	Findings []string `json:"findings"`
}

// Attribute is one that is stored with events, or that the experiment names.
type Attribute struct {
	Name      string   `json:"name"`
	Stored    bool     `json:"stored"`    // it is on the allow-list
	Sensitive bool     `json:"sensitive"` // the operator says so
	Why       []string `json:"why"`       // what in the experiment uses it; empty: nothing does
}

// Use is something with what it is used for.
type Use struct {
	Name string   `json:"name"`
	Why  []string `json:"why"`
}

// Kept is what is kept of whom, where and until when.
type Kept struct {
	Where string `json:"where"`
	What  string `json:"what"`
	Whom  string `json:"whom"`
	Until string `json:"until"`
}

// Reader is who may read something.
type Reader struct {
	What string `json:"what"`
	Who  string `json:"who"`
}

// Of writes an experiment's notice.
func Of(v *experiment.Version, e *experiment.Experiment, t Terms) Notice {
	n := Notice{
		Experiment: e.Key, Owner: e.Owner, UnitKind: e.UnitKind, Version: v.Number, Consent: e.Consent.String(),
		Population: population(e), Attributes: attributes(e, t), Events: events(e),
		Kept: kept(v, e, t), Readers: readers(e, t), Findings: []string{},
	}
	for _, a := range n.Attributes {
		switch {
		case a.Sensitive && a.Stored && len(a.Why) == 0:
			n.Findings = append(n.Findings, fmt.Sprintf("attribute %s is sensitive and stored, and nothing in this experiment uses it", a.Name))
		case a.Sensitive && a.Stored:
			n.Findings = append(n.Findings, fmt.Sprintf("attribute %s is sensitive: %s", a.Name, strings.Join(a.Why, ", ")))
		case !a.Stored:
			n.Findings = append(n.Findings, fmt.Sprintf("attribute %s is used (%s) and not on the allow-list: it is never there", a.Name, strings.Join(a.Why, ", ")))
		}
	}
	if e.Consent.Asks() {
		for i := range e.Iterations {
			if it := &e.Iterations[i]; it.Retrospective && e.AsOf(it).Consent.Asks() {
				n.Findings = append(n.Findings, fmt.Sprintf("iteration %d began before it was applied: exposures without consent that were read before are stored with their unit", it.Number))
			}
		}
	}
	return n
}

func population(e *experiment.Experiment) string {
	who := "units of kind " + e.UnitKind
	switch e.Consent.Require {
	case experiment.RequireGranted:
		return who + " that consented, or of whom no consent is required"
	case experiment.RequireNotDenied:
		return who + " that did not refuse"
	}
	return who + "; consent is not asked for"
}

// attributes are those of the allow-list, and those that the experiment names beside.
func attributes(e *experiment.Experiment, t Terms) []Attribute {
	why := map[string][]string{}
	use := func(name, what string) {
		if !slices.Contains(why[name], what) {
			why[name] = append(why[name], what)
		}
	}
	for _, d := range e.Dimensions {
		use(d.Attribute, "dimension of the results")
	}
	for _, c := range e.Exclude {
		for name := range c {
			use(name, "exclusion of units")
		}
	}
	covariate := func(text, of string) {
		for _, term := range experiment.CovariateTerms(text) {
			if name, is := strings.CutPrefix(term, "attrs."); is {
				use(name, "covariate of "+of)
			}
		}
	}
	covariate(e.Covariate, "the experiment")
	for i := range e.Iterations {
		for k := range e.Iterations[i].Metrics {
			m := &e.Iterations[i].Metrics[k]
			covariate(m.Covariate, "metric "+m.Name)
			for _, p := range partsOf(m) {
				for name := range p.Where {
					use(name, "condition of metric "+m.Name)
				}
				if name := p.Attribute(); name != "" {
					use(name, "value of metric "+m.Name)
				}
			}
		}
	}
	names := slices.Clone(t.Attributes)
	for name := range why {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make([]Attribute, 0, len(names))
	for _, name := range slices.Compact(names) {
		uses := why[name]
		slices.Sort(uses)
		if uses == nil {
			uses = []string{}
		}
		out = append(out, Attribute{name, slices.Contains(t.Attributes, name), slices.Contains(t.Sensitive, name), uses})
	}
	return out
}

func partsOf(m *experiment.Metric) []experiment.Part {
	if m.Kind == experiment.Ratio {
		return []experiment.Part{*m.Numerator, *m.Denominator}
	}
	return []experiment.Part{{Event: m.Event, Value: m.Value, Where: m.Where}}
}

// events are the outcomes that some iteration counts.
func events(e *experiment.Experiment) []Use {
	why := map[string][]string{}
	for i := range e.Iterations {
		for k := range e.Iterations[i].Metrics {
			m := &e.Iterations[i].Metrics[k]
			for _, p := range partsOf(m) {
				if what := "metric " + m.Name; !slices.Contains(why[p.Event], what) {
					why[p.Event] = append(why[p.Event], what)
				}
			}
		}
	}
	out := make([]Use, 0, len(why))
	for name, uses := range why {
		slices.Sort(uses)
		out = append(out, Use{name, uses})
	}
	slices.SortFunc(out, func(a, b Use) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// retention is how long events of a unit kind are kept, if that is configured.
func (t *Terms) retention(kind string) (time.Duration, bool) {
	if d, ok := t.Retention[kind]; ok {
		return d, true
	}
	d, ok := t.Retention["all"]
	return d, ok
}

func kept(v *experiment.Version, e *experiment.Experiment, t Terms) []Kept {
	until := "until the floor is moved past them (assay apply --floor, docs/operations.md): it has not been moved yet"
	moved := "the others until the floor is moved past them"
	if d, ok := t.retention(e.UnitKind); ok {
		days := fmt.Sprintf("for %d days, in whole months, then assay retention deletes them, unless an iteration that runs needs them", d/(24*time.Hour))
		until, moved = days+": it has not been run yet", "the others "+days
	}
	if floor := v.FloorOf(e.UnitKind); !floor.IsZero() {
		until = fmt.Sprintf("events of unit kind %s from before %s are no longer kept; %s", e.UnitKind, floor.UTC().Format(time.RFC3339), moved)
	}
	whom := "every unit with such an event"
	if e.Consent.Asks() {
		whom = "units with the required consent"
	}
	out := []Kept{
		{"events", "exposures: keyed hash of the unit, times, variant, the producer's id, attributes", whom, until},
		{"events", "outcomes: keyed hash of the unit, times, name and value, the producer's id, attributes", "every unit with such an event, consenting or not, unless the event says denied", until},
	}
	if e.Consent.Asks() {
		out = append(out, Kept{"events", "exposures without the required consent: variant, kind of unit, what was said of consent, times to the minute, place", "nobody: no unit, id or attribute", until})
	}
	out = append(out,
		Kept{"ledger, looks, decisions", "sums and counts by variant, slot and dimension", "nobody: no unit is in them", "for ever"},
		Kept{"Kafka: " + strings.Join(t.Topics, ", "), "what the producers wrote, keyed by the unit", "everybody, whatever they consented to", "as long as the topics' retention"},
	)
	if t.DeadLetters != "" {
		out = append(out, Kept{"dead_letters, and Kafka: " + t.DeadLetters, "place, size and reason of what is no event; no payload", "nobody", "for ever; the topic as long as its retention"})
	}
	if t.Backups > 0 {
		out = append(out, Kept{"backups", "copies of all tables", "as of the tables", fmt.Sprintf("until %d newer ones exist", t.Backups)})
	}
	return out
}

func readers(e *experiment.Experiment, t Terms) []Reader {
	analyst := "role analyst"
	if len(e.Readers) > 0 {
		analyst += fmt.Sprintf(", of these the owner %s and %s", e.Owner, strings.Join(e.Readers, ", "))
	}
	rows := analyst
	if t.SmallestCell > 0 {
		rows += fmt.Sprintf("; sums and counts of fewer than %d units are left out", t.SmallestCell)
	}
	return []Reader{
		{"results, decisions and this page", "role viewer"},
		{"events of one unit, by its id, and analyses made to order", analyst},
		{"exported rows", rows},
		{"the tables", "the database's accounts (docs/sql.md)"},
	}
}
