package kafka

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// shard is partition P of every declared topic, as long as this consumer has it.
type shard struct {
	c        *Consumer
	id       uint16
	log      *slog.Logger
	progress progress

	leave  context.CancelFunc // asks to stop gently; set by start
	kill   context.CancelCauseFunc
	mu     sync.Mutex
	end    context.CancelCauseFunc // of the present life
	halted chan struct{}           // closed when it stands still for the first time
	ended  chan struct{}           // closed when nothing of it runs any more

	standstill sync.Once // closes halted
}

func newShard(c *Consumer, partition int32) *shard {
	s := &shard{
		c: c, id: uint16(partition), log: c.log.With("shard", partition),
		halted: make(chan struct{}), ended: make(chan struct{}),
	}
	s.progress.state = StateLoading
	s.progress.names = c.cfg.names()
	return s
}

// start runs the shard until the context ends or leave is called.
func (s *shard) start(ctx context.Context) {
	gentle, leave := context.WithCancel(ctx)
	hard, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	s.leave, s.kill = leave, kill
	// What is under way when the shard is given up may become durable, within
	// bounds: cancelling an insert does not stop the server from doing it.
	patience := context.AfterFunc(gentle, func() {
		select {
		case <-s.ended:
		case <-time.After(s.c.cfg.StopTimeout):
			kill(context.Canceled)
		}
	})
	go func() {
		defer close(s.ended)
		defer patience()
		defer leave()
		defer kill(nil)
		s.run(gentle, hard)
	}()
}

// run lives one life after the other. Each begins at the last mark.
func (s *shard) run(ctx, hard context.Context) {
	first := s.c.cfg.Backoff
	for pause := first; ; pause = min(2*pause, 32*first) {
		began := s.progress.sequence()
		err := s.live(ctx, hard)
		var why *halt
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.As(err, &why):
			s.halt(why)
			if !s.again(ctx, why) {
				return
			}
			continue
		}
		s.progress.set(StateLoading, err.Error())
		s.c.metrics.restarted(err)
		s.log.Warn("shard starts again from its last mark", "error", err)
		if s.progress.sequence() > began {
			pause = first
		}
		if !rested(ctx, pause) {
			return
		}
	}
}

// live loads the shard and works until something ends that: nil when it was
// asked to stop or has reached its goal.
func (s *shard) live(ctx, hard context.Context) error {
	alive, end := context.WithCancelCause(hard)
	defer end(nil)
	s.mu.Lock()
	s.end = end
	s.mu.Unlock()
	loading, cancel := context.WithCancel(alive)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	defer s.c.memory.forget(s.id)
	l, err := s.load(loading)
	if err != nil {
		return causeOf(alive, err)
	}
	return causeOf(alive, l.work(ctx, alive))
}

// restart ends the present life; the next one begins at the last mark.
func (s *shard) restart(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		s.end(why)
	}
}

// causeOf is why the context was cancelled if it was, else the error.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

func (s *shard) halt(why *halt) {
	s.progress.set(why.state, why.detail)
	s.c.metrics.restarted(why)
	s.log.Error("shard stopped", "state", why.state, "detail", why.detail)
	s.standstill.Do(func() { close(s.halted) })
}

// again waits until a shard that stands still should look once more whether what
// stopped it is mended. Rows that lack can be brought back from a backup; all other
// reasons need somebody who starts the consumer anew.
func (s *shard) again(ctx context.Context, why *halt) bool {
	if why.state != StateMissing {
		<-ctx.Done()
		return false
	}
	return rested(ctx, s.c.cfg.ChainEvery)
}

// sequence is the last part that is known to be durable.
func (p *progress) sequence() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seq
}
