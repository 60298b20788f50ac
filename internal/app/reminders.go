package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// remindEvery is how often the reminders are computed. They are of days.
const remindEvery = time.Minute

// staleOf is the operator's word on experiments whose file has none.
func (s *Stack) staleOf() experiment.Stale {
	return experiment.Stale{After: s.Config.Governance.StaleAfter, Hold: s.Config.Governance.StaleHold}
}

// reminded tells whether an experiment asks for reminders, by its file or the operator.
func reminded(e *experiment.Experiment, operator experiment.Stale) bool {
	return len(e.Reviews) > 0 || e.StopWhen != (experiment.StopWhen{}) || e.Stale.Or(operator).After > 0
}

// standingOf is what a look, or none, and the log say for reminders.
func standingOf(e *experiment.Experiment, d *results.Document, operator experiment.Stale, notes []time.Time, outside, at time.Time) governance.Standing {
	out := governance.Standing{Experiment: e, At: at, Operator: operator, Noted: notes, Outside: outside}
	it := catalog.Current(e, at)
	if d == nil || it == nil || d.Iteration != it.Number {
		return out
	}
	out.Looked, out.Units, out.Newest = true, catalog.UnitsOf(d), d.Newest
	out.Call = string(catalog.Decide(catalog.Subject{Experiment: e, Iteration: it, Document: d, Now: at}).Call)
	return out
}

// DuesOf are the reminders of an experiment that is in force.
func (s *Stack) DuesOf(ctx context.Context, e *experiment.Experiment, now time.Time) ([]governance.Due, error) {
	it := catalog.Current(e, now)
	if it == nil || !reminded(e, s.staleOf()) {
		return nil, nil
	}
	d, err := s.storedLook(ctx, e.Key, it, clickhouse.FullLook)
	if err != nil {
		return nil, err
	}
	if d != nil && len(e.DatesOf(it)) > 0 {
		if err := s.AddDated(ctx, e, d); err != nil {
			return nil, err
		}
	}
	rows, err := s.DB.Decisions(ctx, clickhouse.DecisionFilter{Experiment: e.Key})
	if err != nil {
		return nil, fmt.Errorf("read the decision log: %w", err)
	}
	lines, err := entriesOf(rows)
	if err != nil {
		return nil, err
	}
	outside, err := s.DB.LastOutside(ctx, []string{e.Key}, now)
	if err != nil {
		return nil, err
	}
	return governance.Dues(standingOf(e, d, s.staleOf(), governance.NotesOf(lines, e.Key), outside[e.Key], now)), nil
}

// heldNow says why nothing of an experiment may grow now; "" when it may.
func (s *Stack) heldNow(ctx context.Context, e *experiment.Experiment, now time.Time) (string, error) {
	dues, err := s.DuesOf(ctx, e, now)
	if err != nil {
		return "", err
	}
	if h := governance.Held(dues); h != nil {
		return h.Text + "; " + h.Do, nil
	}
	return "", nil
}

// Reminders tells people what is due: reviews, what was to end an experiment, and
// experiments that nobody looks after. It turns nothing off.
type Reminders struct {
	stack    *Stack
	notifier watch.Notifier
	now      func() time.Time
	due      *prometheus.GaugeVec

	mu   sync.Mutex
	held map[string]string      // by experiment: why
	told map[string]watch.Alert // by key: what is open
	was  bool                   // a round was finished: what is found in the first may have been told
}

// RegisterReminders registers the metrics of reminders, for the page of all metrics.
func RegisterReminders(r prometheus.Registerer) error {
	_, err := newReminders(nil, nil, r)
	return err
}

func newReminders(s *Stack, n watch.Notifier, r prometheus.Registerer) (*Reminders, error) {
	out := &Reminders{stack: s, notifier: n, now: time.Now, held: map[string]string{}, told: map[string]watch.Alert{},
		due: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "assay_experiment_due", Help: "1 while people are reminded of an experiment, by what is due: review, units, duration, decided, ended, left_on, no_data, unreviewed, held.",
		}, []string{"experiment", "what"})}
	if r == nil {
		return out, nil
	}
	if err := r.Register(out.due); err != nil {
		return nil, fmt.Errorf("register the metrics of reminders: %w", err)
	}
	return out, nil
}

// Run computes them until the context ends.
func (r *Reminders) Run(ctx context.Context) error {
	return r.stack.rounds(ctx, "compute the reminders", remindEvery, func(ctx context.Context, _ time.Time) error { return r.round(ctx) })
}

// Held implements watch.Holds. What nobody has computed yet holds too, where a file or the
// operator asks for holding.
func (r *Reminders) Held(e *experiment.Experiment) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.was && e.Stale.Or(r.stack.staleOf()).Hold > 0 {
		return "it is not known yet whether anybody looks after it"
	}
	return r.held[e.Key]
}

func (r *Reminders) round(ctx context.Context) error {
	v, err := r.stack.DB.Version(ctx)
	if err != nil {
		return fmt.Errorf("read the configuration in force: %w", err)
	}
	now := r.now().UTC().Truncate(time.Millisecond)
	all := map[string][]governance.Due{}
	for i := range v.Experiments {
		e := &v.Experiments[i]
		dues, err := r.stack.DuesOf(ctx, e, now)
		if err != nil {
			return fmt.Errorf("reminders of %s: %w", e.Key, err)
		}
		if len(dues) > 0 {
			all[e.Key] = dues
		}
	}
	r.tell(&v, all, now)
	return nil
}

// tell shows what is due, tells what is new and resolves what is over.
func (r *Reminders) tell(v *experiment.Version, all map[string][]governance.Due, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due.Reset()
	clear(r.held)
	open := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for _, d := range all[key] {
			r.due.WithLabelValues(key, string(d.What)).Set(1)
			if d.What == governance.Hold {
				r.held[key] = d.Text
			}
			a := reminderOf(v.Find(key), d, now)
			if open[a.Key] = true; r.told[a.Key].Title == a.Title {
				continue
			}
			a.Repeat = !r.was
			r.told[a.Key] = a
			r.notify(a)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.told)) {
		if a := r.told[key]; !open[key] {
			delete(r.told, key)
			a.Resolved, a.At, a.Text = true, now, "it is due no more"
			r.notify(a)
		}
	}
	r.was = true
}

func (r *Reminders) notify(a watch.Alert) {
	if r.notifier != nil {
		r.notifier.Notify(a)
	}
}

// reminderOf puts what is due into an alert.
func reminderOf(e *experiment.Experiment, d governance.Due, now time.Time) watch.Alert {
	a := watch.Alert{
		Key: fmt.Sprintf("reminder/%s/%d/%s", e.Key, d.Iteration, d.What), Matter: watch.ReminderMatter, Reason: string(watch.ReminderMatter),
		Experiment: e.Key, Iteration: d.Iteration, At: now, Since: d.Since, Owner: e.Owner, Links: e.Links, Text: d.Do,
		Title: fmt.Sprintf("%s: %s", e.Key, d.Text),
	}
	if a.Since.IsZero() {
		a.Since = now
	}
	return a
}

// notesOf are the times of the notes among lines of which the catalog holds all.
func (c *Catalog) notesOf(key string) []time.Time { return governance.NotesOf(c.lines, key) }

// dues are the reminders of a subject; the caller holds the lock.
func (c *Catalog) dues(s catalog.Subject) []governance.Due {
	operator := c.stack.staleOf()
	if s.Experiment == nil || !reminded(s.Experiment, operator) {
		return nil
	}
	return governance.Dues(standingOf(s.Experiment, s.Document, operator, c.notesOf(s.Experiment.Key), c.outside[s.Experiment.Key], s.Now))
}

// whatIsDue names what is due, for a tag.
func whatIsDue(dues []governance.Due) string {
	out := make([]string, len(dues))
	for i, d := range dues {
		out[i] = string(d.What)
	}
	return strings.Join(out, ",")
}

// readOutside reads when experiments that ask for reminders were last exposed outside
// their iterations, each minute.
func (c *Catalog) readOutside(ctx context.Context) error {
	now := c.now()
	if c.version == nil || now.Sub(c.outsideAt) < remindEvery {
		return nil
	}
	var keys []string
	for i := range c.version.Experiments {
		if e := &c.version.Experiments[i]; reminded(e, c.stack.staleOf()) {
			keys = append(keys, e.Key)
		}
	}
	var found map[string]time.Time
	if len(keys) > 0 {
		var err error
		if found, err = c.stack.DB.LastOutside(ctx, keys, now); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outside, c.outsideAt = found, now
	return nil
}

// dueIn are an experiment's reminders at the end of a window.
func (s *Stack) dueIn(ctx context.Context, w *window, e *experiment.Experiment, d *results.Document) ([]governance.Due, error) {
	if !reminded(e, s.staleOf()) {
		return nil, nil
	}
	var notes []time.Time
	for _, row := range w.decisions {
		if row.Experiment == e.Key && row.Kind == string(guardrails.Noted) && row.At.Before(w.until) {
			notes = append(notes, row.At)
		}
	}
	outside, err := s.DB.LastOutside(ctx, []string{e.Key}, w.until)
	if err != nil {
		return nil, err
	}
	return governance.Dues(standingOf(e, d, s.staleOf(), notes, outside[e.Key], w.until.Add(-time.Millisecond))), nil
}
