package watch

import (
	"log/slog"
	"sync"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// alerts are the matters that are open and what people were told of them. It is
// rebuilt from the decision log, so a guard that begins goes on with what another
// one has told.
type alerts struct {
	notifier Notifier
	log      *slog.Logger
	complete func(*Alert) // adds what the log and the applied version say

	mu   sync.Mutex
	live bool // else the log's lines are history, and are told to nobody yet
	open map[string]*matter
}

// matter is an open one.
type matter struct {
	last Alert
	told bool            // by this guard
	said map[string]bool // titles
	// ahead is the title of what was told before the log had it.
	ahead string
}

func newAlerts(n Notifier, log *slog.Logger, complete func(*Alert)) *alerts {
	return &alerts{notifier: n, log: log, complete: complete, open: map[string]*matter{}}
}

// hear tells what a line of the decision log means for people. Each line is news,
// but that an arm is silent is said once: a rule warns anew after a restart.
func (a *alerts) hear(alert Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.open[alert.Key]
	switch {
	case m != nil && m.ahead == alert.Title:
		m.ahead = ""
		a.tell(alert, false)
	case m != nil && m.said[alert.Title] && alert.Matter == SilenceMatter:
	default:
		a.tell(alert, a.live)
	}
}

// tellAhead tells what a line of the log will say once it can be written, and tells
// it once: a kill that failed must not wait for the log.
func (a *alerts) tellAhead(alert Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.open[alert.Key]; m != nil && m.ahead == alert.Title {
		return
	}
	a.tell(alert, true)
	a.open[alert.Key].ahead = alert.Title
}

// raise tells of a state that was seen: once, and again when it has another title.
func (a *alerts) raise(alert Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.open[alert.Key]; m == nil || !m.said[alert.Title] {
		a.tell(alert, true)
	}
}

func (a *alerts) tell(alert Alert, aloud bool) {
	m := a.open[alert.Key]
	if m == nil {
		m = &matter{said: map[string]bool{}, last: Alert{Since: alert.At}}
		a.open[alert.Key] = m
	}
	alert.Since, alert.Page = m.last.Since, alert.Matter.pages()
	m.last, m.said[alert.Title] = alert, true
	if aloud {
		m.told = true
		a.send(alert)
	}
}

// progress notes how far a kill is, which is told with the next news.
func (a *alerts) progress(key string, state guardrails.EntryKind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.open[key]; m != nil {
		m.last.State = state
	}
}

// isOpen tells whether people know of a matter that is not over.
func (a *alerts) isOpen(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[key] != nil
}

// resolve closes the open matters that match.
func (a *alerts) resolve(at time.Time, title, text string, match func(Alert) bool) {
	a.resolveEach(at, func(last Alert) (string, bool) { return title, match(last) }, text)
}

// resolveEach closes the open matters that are over, each with a title of its own.
func (a *alerts) resolveEach(at time.Time, over func(Alert) (title string, is bool), text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, m := range a.open {
		if title, is := over(m.last); is {
			a.close(key, at, title, text)
		}
	}
}

// resolveKey closes a matter, if it is open.
func (a *alerts) resolveKey(key string, at time.Time, title, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[key] != nil {
		a.close(key, at, title, text)
	}
}

func (a *alerts) close(key string, at time.Time, title, text string) {
	m := a.open[key]
	delete(a.open, key)
	last := m.last
	last.Resolved, last.At, last.Text = true, at, text
	if title != "" {
		last.Title = title
	}
	if a.live || m.told {
		a.send(last)
	}
}

// begin takes up what the log has left open: what still runs is told again, what
// ended while nobody looked is resolved, what is old is let go.
func (a *alerts) begin(now time.Time, runs func(Alert) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.live {
		return
	}
	a.live = true
	for key, m := range a.open {
		recent := now.Sub(m.last.At) < stillHot
		switch {
		case m.told:
		case runs(m.last), recent && goesOn(m.last):
			m.told, m.last.Repeat = true, true
			a.send(m.last)
			m.last.Repeat = false
		case recent:
			a.close(key, now, "", over)
		default:
			delete(a.open, key)
		}
	}
}

// goesOn tells whether a matter outlives the look at its iteration: exposures may go
// on for ever.
func goesOn(a Alert) bool {
	return a.State == guardrails.NotEffective || a.State == guardrails.Overridden
}

// stillHot is how old a matter of an iteration that is over may be to be resolved
// after a restart. Whoever was told of an older one has seen to it.
const stillHot = 24 * time.Hour

func (a *alerts) send(alert Alert) {
	a.complete(&alert)
	if alert.Resolved {
		a.log.Info("alert resolved", "key", alert.Key, "title", alert.Title)
	} else {
		a.log.Warn("alert", "key", alert.Key, "page", alert.Page, "title", alert.Title, "text", alert.Text)
	}
	if a.notifier != nil {
		a.notifier.Notify(alert)
	}
}
