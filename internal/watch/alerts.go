package watch

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// alerts tells people, one matter once, in a goroutine of its own: a messenger
// that hangs must not hold the guard up.
type alerts struct {
	notifier Notifier
	log      *slog.Logger
	queue    chan Alert
	done     chan struct{}

	mu     sync.Mutex
	open   map[string]string // key → text of what people know of
	closed bool
}

const (
	alertQueue   = 256              // more than that waiting are written to the log only
	alertTimeout = 10 * time.Second // for one message
)

func newAlerts(n Notifier, log *slog.Logger) *alerts {
	return &alerts{notifier: n, log: log, queue: make(chan Alert, alertQueue), done: make(chan struct{}), open: map[string]string{}}
}

// run delivers until close. Messages about a shutdown's last decisions still go out.
func (a *alerts) run() {
	defer close(a.done)
	for alert := range a.queue {
		ctx, cancel := context.WithTimeout(context.Background(), alertTimeout)
		if err := a.notifier.Notify(ctx, alert); err != nil {
			a.log.Error("nobody was told", "alert", alert.Key, "title", alert.Title, "error", err)
		}
		cancel()
	}
}

// close delivers what waits and ends run.
func (a *alerts) close() {
	a.mu.Lock()
	a.closed = true
	close(a.queue)
	a.mu.Unlock()
	<-a.done
}

// raise opens a matter, or tells what is new about it.
func (a *alerts) raise(alert Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[alert.Key] == alert.Title {
		return
	}
	a.open[alert.Key] = alert.Title
	a.log.Warn("alert", "key", alert.Key, "page", alert.Page, "title", alert.Title, "text", alert.Text)
	a.send(alert)
}

// resolve closes a matter, if it is open.
func (a *alerts) resolve(key string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	title, ok := a.open[key]
	if !ok {
		return
	}
	delete(a.open, key)
	a.log.Info("alert resolved", "key", key, "title", title)
	a.send(Alert{Key: key, Resolved: true, Title: title, At: at})
}

func (a *alerts) send(alert Alert) {
	if a.notifier == nil || a.closed {
		return
	}
	select {
	case a.queue <- alert:
	default:
		a.log.Error("too many alerts are waiting", "alert", alert.Key, "title", alert.Title)
	}
}
