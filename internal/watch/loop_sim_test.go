package watch

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// simLoop is the guard at work on some experiments of one kind: the loop that ships,
// with a ledger, a log and a switch in memory and a clock that is moved from look to look.
type simLoop struct {
	*simLedger
	looks int
	logs  [][]record
	fed   []int
	guard *Watch

	mu       sync.Mutex
	versions []experiment.Version
	entries  []guardrails.Entry
	look     int
	killed   map[string]int // look at which the switch was called, by experiment
}

// newSimLoop makes experiments number from to to of the kind, each of its own seed.
func newSimLoop(n *nature, from, to, looks int, looked func(*simLoop, *results.Document)) (*simLoop, error) {
	l := &simLoop{looks: looks, fed: make([]int, to-from), killed: map[string]int{}}
	var all []experiment.Experiment
	for i := from; i < to; i++ {
		all, l.logs = append(all, n.experiment(i)), append(l.logs, n.draw(n.random(i)))
	}
	v := versionOf(all...)
	l.versions, l.simLedger = []experiment.Version{*v}, newSimLedger(n, v)
	config := DefaultConfig()
	config.Limits = guardrails.Limits{} // as many kills an hour as there are false ones
	parts := Parts{
		Versions: l, Ledger: l, Journal: l, Looks: l, Switch: l,
		Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler),
	}
	parts.Observer = func(e Event) {
		if e.Kind == Looked {
			looked(l, e.Document)
		}
	}
	var err error
	l.guard, err = New(config, parts)
	return l, err
}

func versionOf(all ...experiment.Experiment) *experiment.Version {
	return &experiment.Version{Number: 1, AppliedAt: simStart().Add(-time.Hour), Experiments: all}
}

// random are the numbers of the i-th experiment of a kind. They go by its name, so that
// they stay when others are added.
func (n *nature) random(i int) *rand.Rand {
	h := fnv.New64a()
	_, _ = io.WriteString(h, n.name) // a hash takes everything
	return rand.New(rand.NewPCG(h.Sum64()^*simSeed, uint64(i)))
}

// run takes all looks. Each is a round of the guard and what its kills do.
func (l *simLoop) run(ctx context.Context) error {
	for l.look = 1; l.look <= l.looks && ctx.Err() == nil; l.look++ {
		since := simEnd * time.Duration(l.look) / time.Duration(l.looks)
		for i, log := range l.logs {
			from := l.fed[i]
			for l.fed[i] < len(log) && log[l.fed[i]].at < since.Milliseconds() {
				l.fed[i]++
			}
			l.feed(i, l.versions[0].Experiments[i].Key, log[from:l.fed[i]])
		}
		l.commit(simStart().Add(since))
		l.guard.round(ctx)
		l.guard.carriers.Wait()
		if l.guard.failures > 0 {
			return fmt.Errorf("look %d of %s failed", l.look, l.nature.name)
		}
	}
	return ctx.Err()
}

func (l *simLoop) VersionNumber(context.Context) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint32(len(l.versions)), nil
}

func (l *simLoop) VersionAt(_ context.Context, n uint32) (experiment.Version, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.versions[n-1], nil
}

func (l *simLoop) AppendVersion(_ context.Context, v experiment.Version) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(v.Number) != len(l.versions)+1 {
		return fmt.Errorf("version %d is taken", v.Number)
	}
	l.versions, l.config = append(l.versions, v), v.Number
	return nil
}

func (l *simLoop) Entries(_ context.Context, after uint64) ([]guardrails.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[after:], nil
}

func (l *simLoop) Append(_ context.Context, e guardrails.Entry, _ string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Seq != uint64(len(l.entries))+1 {
		return "", guardrails.ErrTaken
	}
	e.Evidence = nil // nobody reads it here
	e.Hash = fmt.Sprint(e.Seq)
	l.entries = append(l.entries, e)
	return e.Hash, nil
}

func (l *simLoop) NewID(time.Time) string { return fmt.Sprint("look-", l.look) }

func (l *simLoop) Store(context.Context, []*Look) error { return nil }

func (l *simLoop) Recent(context.Context, string, uint32, time.Time) ([]*results.Document, error) {
	return nil, nil
}

func (l *simLoop) Keep(context.Context, string, uint64) error { return nil }

func (l *simLoop) Off(_ context.Context, o Order, progress func(guardrails.EntryKind, time.Time)) (Result, error) {
	progress(guardrails.Sending, l.now)
	l.mu.Lock()
	if _, again := l.killed[o.Experiment]; !again {
		l.killed[o.Experiment] = l.look
	}
	l.mu.Unlock()
	progress(guardrails.Accepted, l.now)
	return Result{State: guardrails.Verified, OffAt: l.now, Detail: "200 OK"}, nil
}

// simBatch is how many experiments one guard watches.
const simBatch = 25

// simulate runs experiments number from to to of a kind, some at a time, on all
// processors, and hands each loop over when it is done.
func (n *nature) simulate(t *testing.T, from, to, looks int, looked func(*simLoop, *results.Document), done func(*simLoop)) {
	t.Helper()
	var next atomic.Int64
	next.Store(int64(from))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for first := int(next.Add(simBatch)) - simBatch; first < to && !t.Failed(); first = int(next.Add(simBatch)) - simBatch {
				l, err := newSimLoop(n, first, min(first+simBatch, to), looks, looked)
				if err == nil {
					err = l.run(t.Context())
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				done(l)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// IsOff: what was turned off stays so.
func (l *simLoop) IsOff(context.Context, Order) (bool, error) { return true, nil }

func (l *simLoop) Drill(context.Context, Order) (Drill, error) {
	return Drill{}, errors.New("nobody drills in a simulation")
}
