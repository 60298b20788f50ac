package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/assay-dev/assay/ingest"
)

// suppressed are the units of whom nothing is stored and nothing counted.
type suppressed map[ingest.Unit]struct{}

func (s suppressed) has(u ingest.Unit) bool {
	if len(s) == 0 {
		return false
	}
	_, found := s[u]
	return found
}

// suppressions knows all requests of erasure, for all shards.
type suppressions struct {
	mu    sync.Mutex
	known uint64 // everything up to this request has been read
	all   []Suppression
	sets  map[uint64]suppressed // by the last request in them
}

// keptSets is how many sets are held: shards adopt a request at different times.
const keptSets = 2

// upTo is the set of all requests up to one.
func (s *suppressions) upTo(ctx context.Context, store Erasures, request uint64) (suppressed, error) {
	if request == 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.read(ctx, store, request); err != nil {
		return nil, err
	}
	if set, found := s.sets[request]; found {
		return set, nil
	}
	set := suppressed{}
	for _, x := range s.all {
		for _, u := range x.Units {
			if x.Request <= request {
				set[u] = struct{}{}
			}
		}
	}
	if len(s.sets) >= keptSets {
		oldest := request
		for known := range s.sets {
			oldest = min(oldest, known)
		}
		delete(s.sets, oldest)
	}
	if s.sets == nil {
		s.sets = map[uint64]suppressed{}
	}
	s.sets[request] = set
	return set, nil
}

// between are the requests in (after, upTo].
func (s *suppressions) between(ctx context.Context, store Erasures, after, upTo uint64) ([]Suppression, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.read(ctx, store, upTo); err != nil {
		return nil, err
	}
	var out []Suppression
	for _, x := range s.all {
		if x.Request > after && x.Request <= upTo {
			out = append(out, x)
		}
	}
	return out, nil
}

func (s *suppressions) read(ctx context.Context, store Erasures, upTo uint64) error {
	if upTo <= s.known {
		return nil
	}
	fresh, err := store.Suppressed(ctx, s.known, upTo)
	if err != nil {
		return fmt.Errorf("read which units are suppressed: %w", err)
	}
	s.all, s.known = append(s.all, fresh...), upTo
	return nil
}

// forget takes the units of new requests out of the state. What they gave is taken
// back by the part at hand, or is returned to be written down before it.
func (l *life) forget(ctx context.Context, upTo uint64) ([]Adjustment, error) {
	requests, err := l.s.c.suppressions.between(ctx, l.s.c.store, l.erasure, upTo)
	if err != nil {
		return nil, err
	}
	var out []Adjustment
	for _, r := range requests {
		if err := l.bringBack(ctx, l.joiner.AbsentUnits(r.Units)); err != nil {
			return nil, err
		}
		if rows := l.joiner.Erase(r.Units, r.Retract); len(rows) > 0 {
			out = append(out, Adjustment{Seq: l.seq, Request: r.Request, Rows: rows})
		}
	}
	return out, l.suppress(ctx, upTo)
}

// suppress makes the requests up to one hold.
func (l *life) suppress(ctx context.Context, upTo uint64) (err error) {
	l.hidden, err = l.s.c.suppressions.upTo(ctx, l.s.c.store, upTo)
	l.erasure = upTo
	return err
}

// visible is a visitor of stored rows that does not see those of suppressed units:
// they may not be deleted yet.
func (l *life) visible(visit func(*ingest.Event)) func(*ingest.Event) error {
	return func(e *ingest.Event) error {
		if !l.hidden.has(e.Unit) {
			visit(e)
		}
		return nil
	}
}
