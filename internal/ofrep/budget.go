package ofrep

import (
	"net/http"
	"sync"
	"time"
)

// budget is how many evaluations may be answered: so many a second, and as many at once
// after a pause.
type budget struct {
	perSecond float64
	clock     func() time.Time

	mu   sync.Mutex
	left float64
	at   time.Time // of left; zero: nothing was taken yet
}

// take tells whether one more may be answered.
func (b *budget) take() bool {
	if b.perSecond <= 0 {
		return true
	}
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() {
		b.left, b.at = b.perSecond, now
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.left, b.at = min(b.perSecond, b.left+passed.Seconds()*b.perSecond), now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// within answers what the budget has room for and turns the rest away. That is decided
// before the request is read: who is turned away cannot depend on the unit, its variant or
// what answering takes. Clients then give their default and log no exposure.
func (s *Server) within(asked string, answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.budget.take() {
			answer(w, r)
			return
		}
		w.Header().Set("Retry-After", "1")
		s.write(w, asked, http.StatusTooManyRequests, map[string]string{"errorDetails": "more is asked than this process answers; ask again in a second"})
	})
}
