package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/guardrails"
)

// book is the decision log as this guard knows it. Everything that is written
// goes through write, one at a time, and is decided on the newest entries.
type book struct {
	journal Journal
	now     func() time.Time
	timeout time.Duration          // of one read or append: who waits for the book must not wait for ever
	heard   func(guardrails.Entry) // every new entry, whoever wrote it

	mu  sync.Mutex
	log guardrails.Log
	end atomic.Pointer[string] // hash of the newest entry
}

// sync reads what others have written.
func (b *book) sync(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.catchUp(ctx)
}

func (b *book) catchUp(ctx context.Context) error {
	entries, err := b.entries(ctx)
	if err != nil {
		return fmt.Errorf("read the decision log: %w", err)
	}
	for _, e := range entries {
		b.add(e)
	}
	return nil
}

func (b *book) entries(ctx context.Context) ([]guardrails.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.journal.Entries(ctx, b.log.Last)
}

func (b *book) append(ctx context.Context, e guardrails.Entry) (hash string, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.journal.Append(ctx, e, b.head())
}

func (b *book) add(e guardrails.Entry) {
	if e.Seq <= b.log.Last {
		return
	}
	b.log.Add(e)
	b.end.Store(&e.Hash)
	b.heard(e)
}

// head is the hash of the newest entry, "" before the first. It may be asked for
// while an entry is being written.
func (b *book) head() string {
	if h := b.end.Load(); h != nil {
		return *h
	}
	return ""
}

// read gives f the log; f must not keep it.
func (b *book) read(f func(*guardrails.Log)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.log)
}

// write appends the entry that compose makes of the log. When somebody else was
// faster, the log is read again and compose decides again: it returns false when
// there is nothing left to write. The entry that was written is returned.
func (b *book) write(ctx context.Context, compose func(*guardrails.Log) (guardrails.Entry, bool)) (guardrails.Entry, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		e, ok := compose(&b.log)
		if !ok {
			return guardrails.Entry{}, false, nil
		}
		e.Seq, e.At = b.log.Last+1, b.stamp()
		if e.Kind.Moves() {
			e.Decision, e.Key = e.Seq, guardrails.MoveKey(e.Experiment, e.Iteration, e.Seq)
		}
		if e.Kind == guardrails.Decided {
			e.Decision = e.Seq
			if e.Act == guardrails.DoKill {
				e.Key = guardrails.KillKey(e.Experiment, e.Iteration, guardrail(e), e.Seq)
			}
		}
		hash, err := b.append(ctx, e)
		if err == nil {
			e.Hash = hash
			b.add(e)
			return e, true, nil
		}
		landed, again := b.resolve(ctx, e, err)
		if landed != nil {
			return *landed, true, nil
		}
		if again != nil {
			return guardrails.Entry{}, false, fmt.Errorf("write the decision log: %w", again)
		}
	}
}

// resolve finds out what became of an append that returned an error: it may
// have landed all the same. Neither an entry nor an error means that the log has
// grown and the entry is to be composed again.
func (b *book) resolve(ctx context.Context, e guardrails.Entry, cause error) (landed *guardrails.Entry, err error) {
	entries, err := b.entries(ctx)
	if err != nil {
		return nil, errors.Join(cause, err)
	}
	for i, got := range entries {
		b.add(got)
		if same(got, e) {
			landed = &entries[i]
		}
	}
	if len(entries) > 0 {
		return landed, nil
	}
	return nil, cause
}

// same tells whether a stored entry is the one that we tried to write.
func same(got, e guardrails.Entry) bool {
	return got.Seq == e.Seq && got.Kind == e.Kind && got.Actor == e.Actor && got.At.Equal(e.At) &&
		got.Experiment == e.Experiment && got.Iteration == e.Iteration && got.Decision == e.Decision && got.Phase == e.Phase &&
		got.Guardrail == e.Guardrail && got.Arm == e.Arm
}

// stamp is now as the log can hold it.
func (b *book) stamp() time.Time { return b.now().UTC().Truncate(time.Millisecond) }

// guardrail is the part of a kill's key that says who asked for it.
func guardrail(e guardrails.Entry) string {
	if e.Guardrail == "" {
		return "manual"
	}
	return e.Guardrail + "/" + e.Arm
}
