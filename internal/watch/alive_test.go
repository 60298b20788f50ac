package watch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// stuck is a ledger that can be made to fail, or never to answer.
type stuck struct {
	Ledger
	mu    sync.Mutex
	fails error
	hangs chan struct{} // closed when it answers again
}

func (s *stuck) Statuses(ctx context.Context) ([]results.ShardStatus, error) {
	s.mu.Lock()
	hangs, fails := s.hangs, s.fails
	s.mu.Unlock()
	if hangs != nil {
		<-hangs // whatever the context says
	}
	if fails != nil {
		return nil, fails
	}
	return s.Ledger.Statuses(ctx)
}

func (s *stuck) set(fails error, hangs chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails, s.hangs = fails, hangs
}

// TestReadyAndAlive: a guard whose rounds fail is not ready and says why; one whose loop
// is stuck is not alive either; both are when it looks again.
func TestReadyAndAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(checkout())
		parts := (&guard{world: w}).parts()
		ledger := &stuck{Ledger: parts.Ledger}
		parts.Ledger = ledger
		g, err := New(Config{}, parts)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Run(ctx) }()
		want := func(when, ready, alive string) {
			t.Helper()
			for what, c := range map[string]struct {
				err  error
				want string
			}{"ready": {g.Ready(ctx), ready}, "alive": {g.Alive(ctx), alive}} {
				if c.want == "" && c.err != nil || c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)) {
					t.Errorf("%s: %s: %v, want %q", when, what, c.err, c.want)
				}
			}
		}
		pass(time.Minute)
		want("it looks", "", "")
		ledger.set(errors.New("code: 40, message: checksum"), nil)
		pass(10 * time.Second)
		want("for a moment", "", "")
		pass(2 * time.Minute)
		want("it fails", "code: 40", "")
		ledger.set(nil, nil)
		pass(5 * time.Second)
		want("mended", "", "")
		hangs := make(chan struct{})
		ledger.set(nil, hangs)
		pass(30 * time.Second)
		want("it hangs", "no round was finished for ", "")
		pass(time.Minute)
		want("for long", "no round was finished for ", "has not come round for ")
		close(hangs)
		pass(5 * time.Second)
		want("it goes on", "", "")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
