package killswitch

import (
	"context"
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
