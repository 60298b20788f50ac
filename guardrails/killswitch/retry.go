package killswitch

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
)

// backoff is how long to wait after the n-th disappointment (from 1): doubling,
// with the upper half random so that many guards don't come back together.
func backoff(n int, random float64) time.Duration {
	pause := longestPause
	if n < 6 { // 250 ms · 2⁵ is past the longest
		pause = min(pause, firstPause<<(n-1))
	}
	return pause/2 + time.Duration(random*float64(pause/2))
}

// retryAfter reads the header of that name: seconds or a date. It is 0 without one.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// sleep waits, or returns the context's error when it ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
