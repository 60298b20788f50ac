package notify

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The outcomes that are counted.
const (
	outcomeSent    = "sent"
	outcomeRetried = "retried"
	outcomeFailed  = "failed"
	outcomeDropped = "dropped"
)

func newCounter(r prometheus.Registerer, ways []Way) (*prometheus.CounterVec, error) {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_guard_notifications_total",
		Help: "Messages to people by channel: sent; retried, once for each attempt that is made again; failed, given up or refused; dropped, too many waited or the guard ended.",
	}, []string{"channel", "outcome"})
	if err := r.Register(c); err != nil {
		return nil, fmt.Errorf("register the notifier's metrics: %w", err)
	}
	// Born at 0: a counter that begins at 1 hides its first event from increase().
	for _, w := range ways {
		for _, outcome := range []string{outcomeSent, outcomeRetried, outcomeFailed, outcomeDropped} {
			c.WithLabelValues(w.Name, outcome)
		}
	}
	return c, nil
}
