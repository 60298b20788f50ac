package app

import (
	"context"
	"errors"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
)

const (
	// restTimes is how many times as long as it worked the background rests: what it
	// reads grows with all that is stored, and counting and judging need the server, too.
	restTimes = 9
	// behindBy is from which lag on consumers are left the server for themselves,
	// calmLook how often it is looked whether they are, and calmPatience for how long.
	behindBy     = 10 * time.Second
	calmLook     = 5 * time.Second
	calmPatience = 10 * time.Minute
)

// gentle does what reads all stored events now and then, one thing at a time.
type gentle struct {
	room   chan struct{}
	behind func(context.Context) bool // consumers are
}

func newGentle(behind func(context.Context) bool) *gentle {
	return &gentle{room: make(chan struct{}, 1), behind: behind}
}

var errGaveWay = errors.New("consumers fell behind meanwhile")

// do does a piece of work when the consumers have time for it, by one thread of the
// server, and rests after it. When they have no more it is broken off, to be done anew.
func (g *gentle) do(ctx context.Context, work func(context.Context) error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case g.room <- struct{}{}:
	}
	defer func() { <-g.room }()
	for {
		last := time.Now().Add(calmPatience) // consumers may be behind for good
		for time.Now().Before(last) && g.behind(ctx) {
			pause(ctx, calmLook)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		began := time.Now()
		err := g.try(ctx, last, work)
		pause(ctx, restTimes*time.Since(began))
		if !errors.Is(err, errGaveWay) {
			return err
		}
	}
}

// try does the work unless consumers fall behind before its last moment.
func (g *gentle) try(ctx context.Context, last time.Time, work func(context.Context) error) error {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	look := time.NewTicker(calmLook)
	defer look.Stop()
	ended := make(chan error, 1)
	go func() { ended <- work(clickhouse.InBackground(working)) }()
	for {
		select {
		case err := <-ended:
			if err != nil && errors.Is(context.Cause(working), errGaveWay) {
				return errGaveWay
			}
			return err
		case <-look.C:
			if time.Now().Before(last) && g.behind(ctx) {
				stop(errGaveWay)
			}
		}
	}
}

// leads tells whether what one process does for all is this one's to do.
func (s *Stack) leads() bool { return s.follows == nil || !s.follows() }

// behind tells whether a consumer that is there has not come to the end of its log.
func (s *Stack) behind(ctx context.Context) bool {
	all, err := s.DB.Statuses(ctx)
	if err != nil {
		return false // the work will say so
	}
	for _, st := range all {
		if time.Since(st.At) < behindBy && st.At.Sub(st.Freshness) > behindBy {
			return true
		}
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
