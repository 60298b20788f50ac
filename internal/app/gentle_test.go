package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestGentle: those who read all events take a tenth of the time, together; they wait
// while consumers are behind, and hold up nobody who ends.
func TestGentle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, calm := t.Context(), time.Now().Add(time.Minute)
		g := newGentle(func(context.Context) bool { return time.Now().Before(calm) })
		failure := errors.New("it failed")
		at, most := 0, 0
		work := func(context.Context) error {
			at++
			most = max(most, at)
			time.Sleep(2 * time.Second)
			at--
			return failure
		}
		began := time.Now()
		ended := make(chan error)
		for range 2 {
			go func() { ended <- g.do(ctx, work) }()
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, failure) {
				t.Errorf("it ended with %v", err)
			}
		}
		if took := time.Since(began); took != time.Minute+40*time.Second || most != 1 {
			t.Errorf("twice two seconds after a minute took %s, %d at once", took, most)
		}

		// Consumers fall behind in the middle: it is broken off, and done when they are back.
		began = time.Now()
		from := began
		broken := newGentle(func(context.Context) bool { return time.Since(from) > time.Second && time.Since(from) < 30*time.Second })
		tries := 0
		long := func(ctx context.Context) error {
			tries++
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(7 * time.Second):
				return nil
			}
		}
		if err := broken.do(ctx, long); err != nil || tries != 2 || time.Since(began) != 5*time.Second+restTimes*5*time.Second+7*time.Second+restTimes*7*time.Second {
			t.Errorf("broken off: %v after %s and %d tries", err, time.Since(began), tries)
		}

		// Also when they do so twice, and much time has gone by.
		from, tries = time.Now().Add(calmPatience-10*time.Second), 0
		again := newGentle(func(context.Context) bool {
			return time.Since(from) < 0 || tries < 3 && time.Since(from) > time.Second && time.Since(from) < 30*time.Second
		})
		twice := func(ctx context.Context) error {
			from = time.Now()
			return long(ctx)
		}
		if err := again.do(ctx, twice); err != nil || tries < 3 {
			t.Errorf("broken off twice: %v after %d tries", err, tries)
		}

		calm = time.Now().Add(time.Hour) // longer than anybody waits
		began = time.Now()
		if _ = g.do(ctx, work); time.Since(began) != calmPatience+20*time.Second {
			t.Errorf("behind for good: %s", time.Since(began))
		}

		calm = time.Now()
		ctx, cancel := context.WithCancel(ctx)
		began = time.Now()
		time.AfterFunc(3*time.Second, cancel)
		_ = g.do(ctx, work)
		if err := g.do(ctx, work); !errors.Is(err, context.Canceled) || time.Since(began) != 3*time.Second {
			t.Errorf("after the end: %v after %s", err, time.Since(began))
		}
	})
}
