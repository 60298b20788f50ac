package door

import (
	"sync"
	"time"
)

// How often logins may fail from one address, and how many lines strangers get.
const (
	failuresBurst = 10
	failuresEvery = 6 * time.Second
	linesBurst    = 20
	linesEvery    = time.Second
)

// mostBuckets bounds the memory; beyond it the full ones are forgotten.
const mostBuckets = 10_000

// limiter is a bucket of tries for each key, filled again at a steady pace.
type limiter struct {
	burst float64
	every time.Duration
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(burst int, every time.Duration, now func() time.Time) *limiter {
	return &limiter{burst: float64(burst), every: every, now: now, buckets: map[string]bucket{}}
}

// take uses up one try, or says how long to wait for the next.
func (l *limiter) take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.filled(key, now)
	if b.left >= 1 {
		b.left--
		l.put(key, b, now)
		return 0, true
	}
	l.put(key, b, now)
	return time.Duration((1 - b.left) * float64(l.every)), false
}

func (l *limiter) filled(key string, now time.Time) bucket {
	b, ok := l.buckets[key]
	if !ok {
		return bucket{left: l.burst, at: now}
	}
	b.left = min(l.burst, b.left+float64(now.Sub(b.at))/float64(l.every))
	b.at = now
	return b
}

func (l *limiter) put(key string, b bucket, now time.Time) {
	if len(l.buckets) >= mostBuckets {
		for k := range l.buckets {
			if l.filled(k, now).left >= l.burst {
				delete(l.buckets, k)
			}
		}
		if len(l.buckets) >= mostBuckets { // nobody is innocent: all begin anew
			clear(l.buckets)
		}
	}
	l.buckets[key] = b
}
