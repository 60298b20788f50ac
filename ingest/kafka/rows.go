package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Run is one run of a server, from its start to its end; equal ones are one. A power cut
// ends it, and may take rows that were acknowledged: marks have to be compared with the
// stored rows in each run anew.
type Run struct {
	Server string
	Began  time.Time
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
	now, err := l.s.serverRun(ctx)
	if err == nil && now != l.run {
		err = errAnotherRun
	}
	return err
}

func (s *shard) serverRun(ctx context.Context) (Run, error) {
	r, err := s.c.store.Run(ctx, s.id)
	if err != nil {
		return Run{}, fmt.Errorf("ask since when the server runs: %w", err)
	}
	return r, nil
}
