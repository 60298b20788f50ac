package notify

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// way is a channel with its queue.
type way struct {
	Way
	config  Config
	queue   *queue
	open    map[string]Message // what the channel is to be reminded of, by key
	counter *prometheus.CounterVec
	random  func() float64
}

// take puts a message into the queue, if it concerns the channel.
func (w *way) take(m Message) {
	now := w.config.Now()
	if w.OnlyPages && !m.Page || w.Once && m.Repeat && now.Sub(m.At) > w.config.Deadline {
		return
	}
	if dropped := w.queue.push(&waiting{message: m, until: now.Add(w.config.Deadline)}); dropped != nil {
		w.lost(dropped, outcomeDropped, "too many messages are waiting")
	}
}

// run delivers until the queue is closed and empty, or the context ends.
func (w *way) run(ctx context.Context) {
	remind := make(<-chan time.Time)
	if w.Again > 0 {
		ticker := time.NewTicker(w.Again)
		defer ticker.Stop()
		remind = ticker.C
	}
	for ctx.Err() == nil {
		item, idle := w.queue.pick(w.config.Now())
		if item != nil {
			w.deliver(ctx, item)
			continue
		}
		if w.queue.closed() {
			break
		}
		w.wait(ctx, remind, idle)
	}
	for _, item := range w.queue.drain() {
		w.lost(item, outcomeDropped, "the guard ended before it was delivered")
	}
}

// wait returns when there may be something to do.
func (w *way) wait(ctx context.Context, remind <-chan time.Time, idle time.Duration) {
	var due <-chan time.Time
	if idle > 0 {
		timer := time.NewTimer(idle)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-w.queue.wake:
	case <-due:
	case <-remind:
		w.remind(ctx)
	}
}

// deliver makes one attempt and decides what follows of it.
func (w *way) deliver(ctx context.Context, item *waiting) {
	item.tries++
	err := w.attempt(ctx, item.message)
	if err == nil {
		w.queue.done(item)
		w.counter.WithLabelValues(w.Name, outcomeSent).Inc()
		w.remember(item.message)
		return
	}
	f := failureOf(err)
	wait := pause(item.tries, f.After, w.random())
	switch next := w.config.Now().Add(wait); {
	case f.Final, w.queue.closed(), next.After(item.until):
		w.queue.done(item)
		if !f.Final {
			w.remember(item.message) // a reminder may still get through
		}
		w.lost(item, outcomeFailed, f.Error())
	default:
		w.queue.later(item, next)
		w.counter.WithLabelValues(w.Name, outcomeRetried).Inc()
		w.config.Log.Warn("not told yet", "channel", w.Name, "key", item.message.Key, "title", item.message.Title,
			"again_in", wait.String(), "error", f.Error())
	}
}

func (w *way) attempt(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, w.config.Attempt)
	defer cancel()
	return w.Channel.Send(ctx, m)
}

// remember keeps what is open for the next reminder.
func (w *way) remember(m Message) {
	switch {
	case w.Again == 0:
	case m.Resolved:
		delete(w.open, m.Key)
	default:
		w.open[m.Key] = m
	}
}

// remind says again what is open. One attempt each: the next reminder comes anyway.
func (w *way) remind(ctx context.Context) {
	for _, m := range w.open {
		if err := w.attempt(ctx, m); err != nil {
			w.counter.WithLabelValues(w.Name, outcomeRetried).Inc()
			w.config.Log.Warn("reminder not sent", "channel", w.Name, "key", m.Key, "error", err)
			return
		}
	}
}

// lost says that a message will never be delivered.
func (w *way) lost(item *waiting, outcome, why string) {
	w.counter.WithLabelValues(w.Name, outcome).Inc()
	w.config.Log.Error("nobody was told", "channel", w.Name, "key", item.message.Key, "title", item.message.Title,
		"page", item.message.Page, "attempts", item.tries, "error", why)
}
