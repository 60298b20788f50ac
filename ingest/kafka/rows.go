package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Run is one run of a server, from its start to its end. A power cut ends it, and may
// take rows that were acknowledged: marks have to be compared with the stored rows in
// each run anew.
type Run struct {
	Server string
	Began  time.Time
}

// sameRun is how far apart two readings of one run's beginning may lie: servers count
// whole seconds. A machine that lost its power is not back so soon.
const sameRun = 1100 * time.Millisecond

func (r Run) is(o Run) bool {
	return r.Server == o.Server && r.Began.Sub(o.Began).Abs() <= sameRun
}

// errAnotherRun ends a life whose comparison of marks with stored rows is worth
// nothing any more.
var errAnotherRun = errors.New("the server was started again since the marks were compared with the stored rows: rows that are read back now may lack some")

// rows reads stored rows of the shard, and fails if they may not be all that were
// there when the life began.
func (l *life) rows(ctx context.Context, read func() error) error {
	if err := read(); err != nil {
		return err
	}
	return l.checkRun(ctx)
}

func (l *life) checkRun(ctx context.Context) error {
	now, err := l.s.c.store.Run(ctx, l.s.id)
	if err != nil {
		return fmt.Errorf("ask since when the server runs: %w", err)
	}
	if !now.is(l.run) {
		return errAnotherRun
	}
	return nil
}
