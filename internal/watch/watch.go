package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Watch is the guard. Make it with New; Run it once.
type Watch struct {
	config Config
	limits atomic.Pointer[guardrails.Limits] // config.Limits, or what took their place since
	parts  Parts
	book   *book
	gauges *gauges
	alerts *alerts

	// What the loop alone remembers.
	versions map[uint32]*experiment.Version
	current  uint32
	applied  atomic.Pointer[experiment.Version] // the newest, for whoever tells of it
	memory   map[memoryKey]guardrails.State
	verdicts map[memoryKey]saying
	pairs    map[pair]map[string]bool // the experiments that two versions count otherwise
	stored   map[runKey]storedLook
	rested   map[runKey]rested
	owed     []*Look // that decisions rest on and that could not be stored yet
	lastFull time.Time
	spoke    map[memoryKey][2]bool // treatment, control: got units since the rule last called an arm silent
	vigils   map[runKey]*guardrails.Vigil
	fated    map[uint16]uint64 // the position up to which dead letters were counted
	fates    []results.Fates   // of the next round
	// blindSince is since when a run cannot be judged.
	blindSince map[runKey]time.Time
	shared     shared // of the round at hand
	lastTick   time.Time
	overload   guardrails.Overload        // how long counting has been behind without catching up
	failures   int                        // rounds in a row that could not be finished
	readings   map[uint64]*reading        // by decision: of the switches of killed experiments
	traffics   map[runKey]*trafficReading // of running ramps, as their flag systems have it

	emitting sync.Mutex
	live     atomic.Bool // the history of the decision log has been read
	mu       sync.Mutex
	inFlight map[uint64]bool   // decisions that a goroutine of ours works on
	unkept   map[string]uint64 // looks that must stay, by their decision
	carriers sync.WaitGroup
	ending   sync.Mutex                         // of those that write an iteration's end
	written  atomic.Pointer[experiment.Version] // the newest that they wrote
	presence presence
	pulse    pulse
}

type runKey struct {
	experiment string
	iteration  uint32
}

type memoryKey struct {
	runKey
	rule string
}

// saying is what people heard of a verdict.
type saying struct {
	kind   guardrails.Kind
	reason guardrails.Reason
}

// New makes a guard. It reads nothing yet.
func New(c Config, p Parts) (*Watch, error) {
	w, err := newWatch(c, p)
	if err != nil {
		return nil, err
	}
	if p.Ledger == nil || p.Looks == nil || p.Switch == nil {
		return nil, errors.New("watch: a ledger, looks and a switch are needed")
	}
	return w, nil
}

func newWatch(c Config, p Parts) (*Watch, error) {
	p, err := p.complete()
	if err != nil {
		return nil, err
	}
	w := &Watch{
		config: c.withDefaults(), parts: p,
		versions: map[uint32]*experiment.Version{},
		memory:   map[memoryKey]guardrails.State{}, verdicts: map[memoryKey]saying{},
		stored: map[runKey]storedLook{}, rested: map[runKey]rested{}, pairs: map[pair]map[string]bool{}, blindSince: map[runKey]time.Time{}, vigils: map[runKey]*guardrails.Vigil{}, inFlight: map[uint64]bool{},
		unkept: map[string]uint64{}, spoke: map[memoryKey][2]bool{}, readings: map[uint64]*reading{}, traffics: map[runKey]*trafficReading{},
	}
	w.pulse.beat(w.now(), nil)
	w.Restrain(w.config.Limits)
	if w.gauges, err = newGauges(p.Metrics); err != nil {
		return nil, fmt.Errorf("register the guard's metrics: %w", err)
	}
	w.alerts = newAlerts(p.Notifier, p.Log, w.context)
	w.book = &book{journal: p.Journal, now: p.Now, timeout: w.config.Timeout, heard: w.heard}
	return w, nil
}

// Restrain replaces the limits of all kills together, from the next round on. It may
// be called at any time.
func (w *Watch) Restrain(limits guardrails.Limits) { w.limits.Store(&limits) }

// Run looks until the context ends, then waits for the kills in flight, whose
// calls end with the context. A round that fails is told and the next one tried:
// a guard never gives up.
func (w *Watch) Run(ctx context.Context) error {
	defer w.carriers.Wait()
	if w.parts.Presence != nil {
		w.carriers.Go(func() { w.beOn(ctx) })
	}
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		if ctx.Err() != nil {
			return nil
		}
		begun := w.parts.Now()
		w.round(ctx)
		pause := w.config.rest(w.parts.Now().Sub(begun))
		if w.failures > 0 || !w.leads(w.now()) {
			pause = w.config.Every // what is down is not asked more often, nor what another one asks
		}
		rest.Reset(pause)
	}
}

// round is one tick with its failure handled.
func (w *Watch) round(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, w.config.Timeout)
	defer cancel()
	err := w.tick(bounded, ctx)
	if err == nil {
		w.failures = 0
		w.pulse.beat(w.now(), nil)
		w.gauges.lastRound.Set(float64(w.now().UnixMilli()) / 1000)
		w.alerts.resolveKey(roundKey, w.now(), "the guard looks again", "")
		return
	}
	if ctx.Err() != nil {
		return // shutting down
	}
	w.failures++
	w.pulse.beat(w.now(), err)
	w.gauges.failures.Inc()
	w.parts.Log.Error("round failed", "error", err, "in_a_row", w.failures)
	w.emit(Event{Kind: Failed, At: w.now(), Err: err})
	if w.failures >= failuresBeforePage {
		w.alerts.raise(Alert{
			Key: roundKey, Matter: GuardMatter, Reason: "round_failed", At: w.now(), Title: "the guard cannot look",
			Text: fmt.Sprintf("%d rounds in a row failed: %v", w.failures, err),
		})
	}
}

// failuresBeforePage is how many rounds may fail in a row before people are
// told: one lost connection is nobody's night.
const failuresBeforePage = 4

// roundKey is the matter of a guard that cannot look.
const roundKey = "guard/round"

// tick is one round. Its reads end with ctx; kills outlive it and end with life.
func (w *Watch) tick(ctx, life context.Context) error {
	now := w.now()
	elapsed := w.elapsed(now)
	begun := w.parts.Now()
	version, statuses, err := w.catchUp(ctx)
	if err != nil {
		if last := w.applied.Load(); last != nil {
			w.blindRound(last, runsAt(last, now), err, elapsed)
		}
		return err
	}
	var snoozes []guardrails.Snooze
	w.book.read(func(log *guardrails.Log) { snoozes = log.Snoozes(now) })
	w.gauges.setSnoozed(snoozes, w.limits.Load().GlobalStop)
	w.endSnoozes(snoozes, now)
	if version == nil {
		return nil // nothing was applied yet
	}
	w.applied.Store(version)
	runs := runsAt(version, now)
	w.forget(runs)
	shed := w.shed(ctx, version, statuses, now)
	leads := w.leads(now)
	every := w.config.FullEvery
	if !leads {
		every *= followersFull
	}
	full := now.Sub(w.lastFull) >= every
	looks, err := w.look(ctx, version, runs, statuses, full, begun)
	if err != nil {
		w.blindRound(version, runs, err, elapsed)
		return err
	}
	if full {
		w.lastFull = now
	}
	w.keepVigil(looks, full)
	w.readSignals(looks)
	w.readTraffics(life, looks, now)
	judged := w.judge(ctx, looks, elapsed)
	acting, rest := apart(judged)
	// Evidence that is not stored, or not yet, is in the decision's own entry: the
	// failure is told, and no breach waits for it.
	stored := w.storeBeside(ctx, acting, full)
	err = w.decide(ctx, acting)
	w.carryOn(life, version)
	err = errors.Join(err, stored(), shed)
	if full && len(looks) > 0 {
		w.readFates(ctx, looks[0].document.Vector)
	}
	w.watchOverrides(life, version, now)
	err = errors.Join(err, w.watchEffects(ctx, judged))
	w.keepLooks(ctx)
	// Nor does a breach wait for the looks on which nothing rests, which are nearly all.
	if leads {
		err = errors.Join(err, w.store(ctx, rest, full))
	}
	w.learn(ctx, looks)
	return err
}

// apart parts the looks that something is to be decided on from the others.
func apart(all []*judged) (acting, rest []*judged) {
	for _, j := range all {
		if j.ramping != nil && j.ramping.Move != nil || slices.ContainsFunc(j.steps, func(s step) bool { return s.verdict.Act != guardrails.DoNothing }) {
			acting = append(acting, j)
		} else {
			rest = append(rest, j)
		}
	}
	return acting, rest
}

// catchUp reads what others have written: the decision log, the newest version, and
// what the shards say.
func (w *Watch) catchUp(ctx context.Context) (v *experiment.Version, statuses []results.ShardStatus, err error) {
	if err := w.start(ctx); err != nil {
		return nil, nil, err
	}
	group, together := errgroup.WithContext(ctx)
	group.Go(func() error { return w.book.sync(together) })
	group.Go(func() (err error) {
		if statuses, err = w.parts.Ledger.Statuses(together); err != nil {
			err = fmt.Errorf("read the shards' status: %w", err)
		}
		return err
	})
	v, err = w.newest(ctx)
	return v, statuses, errors.Join(err, group.Wait())
}

func (w *Watch) now() time.Time { return w.parts.Now().UTC().Truncate(time.Millisecond) }

// elapsed is the time since the last round, for the seconds of blindness.
func (w *Watch) elapsed(now time.Time) time.Duration {
	last := w.lastTick
	w.lastTick = now
	if last.IsZero() {
		return 0
	}
	return now.Sub(last)
}

// newest is the newest version; nil when there is none.
func (w *Watch) newest(ctx context.Context) (*experiment.Version, error) {
	number, err := w.parts.Versions.VersionNumber(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the version number: %w", err)
	}
	if number == 0 {
		return nil, nil
	}
	w.current = number
	return w.version(ctx, number)
}

// version reads a version once; versions never change.
func (w *Watch) version(ctx context.Context, number uint32) (*experiment.Version, error) {
	if v := w.versions[number]; v != nil {
		return v, nil
	}
	v, err := w.versionAt(ctx, number)
	if err != nil {
		return nil, err
	}
	w.versions[number] = v
	for n := range w.versions { // shards lag by a version or two, not by more
		if n+keptVersions < w.current {
			delete(w.versions, n)
		}
	}
	return v, nil
}

const keptVersions = 32
