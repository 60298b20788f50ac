package watch

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// stuck is a ledger that can be made to fail, or never to answer.
type stuck struct {
	Ledger
	fails error
	hangs chan struct{} // closed when it answers again
}

func (s *stuck) Statuses(ctx context.Context) ([]results.ShardStatus, error) {
	if s.hangs != nil {
		<-s.hangs // whatever the context says
	}
	if s.fails != nil {
		return nil, s.fails
	}
	return s.Ledger.Statuses(ctx)
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
		ledger.fails = errors.New("code: 40, message: checksum")
		pass(10 * time.Second)
		want("for a moment", "", "")
		pass(2 * time.Minute)
		want("it fails", "code: 40", "")
		ledger.fails = nil
		pass(5 * time.Second)
		want("mended", "", "")
		ledger.hangs = make(chan struct{})
		pass(30 * time.Second)
		want("it hangs", "no round was finished for ", "")
		pass(time.Minute)
		want("for long", "no round was finished for ", "has not come round for ")
		close(ledger.hangs)
		pass(5 * time.Second)
		want("it goes on", "", "")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
