package door

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

// mostSessions bounds the memory; beyond it the oldest goes.
const mostSessions = 2_000

// session is a browser's login. What it rests on is asked again at every request.
type session struct {
	principal access.Principal
	token     access.Hash // of the token that it was made with; zero for a JWT
	expires   time.Time
	begun     time.Time
}

// sessions are kept in memory alone, by the hash of what the cookie holds: who reads
// the memory of this process can use none, and a restart ends them all.
type sessions struct {
	life time.Duration
	now  func() time.Time

	mu  sync.Mutex
	all map[access.Hash]session
}

func newSessions(life time.Duration, now func() time.Time) *sessions {
	return &sessions{life: life, now: now, all: map[access.Hash]session{}}
}

// begin makes a session that ends with what it rests on, and gives the cookie's value.
func (s *sessions) begin(p access.Principal, token access.Hash, until time.Time) (value string, expires time.Time, err error) {
	if value, err = access.NewSecret(rand.Reader); err != nil {
		return "", expires, err
	}
	now := s.now()
	expires = now.Add(s.life)
	if !until.IsZero() && until.Before(expires) {
		expires = until
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(now)
	s.all[access.HashOf(value)] = session{p, token, expires, now}
	return value, expires, nil
}

// find is the session of a cookie's value.
func (s *sessions) find(value string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.all[access.HashOf(value)]
	return found, ok && s.now().Before(found.expires)
}

func (s *sessions) end(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, access.HashOf(value))
}

func (s *sessions) tidy(now time.Time) {
	var oldest access.Hash
	var at time.Time
	for h, one := range s.all {
		if !now.Before(one.expires) {
			delete(s.all, h)
			continue
		}
		if at.IsZero() || one.begun.Before(at) {
			oldest, at = h, one.begun
		}
	}
	if len(s.all) >= mostSessions {
		delete(s.all, oldest)
	}
}
