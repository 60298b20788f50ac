package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
)

// world is everything outside of the guards: it survives their crashes.
type world struct {
	signals []signals.Fact // how breakers stand

	words    map[string]time.Time // by guard: when it last said that it runs
	mu       sync.Mutex
	entries  []guardrails.Entry
	versions []experiment.Version
	offered  int // versions that somebody tried to append
	looks    []Look
	named    int // looks that have an id
	kept     map[string]uint64
	alerts   []Alert

	cells     map[string][2]int64 // variant → units, units with an event, open and matured alike
	wrong     int64               // units shown another variant than their assignment gives them, of a thousand
	crossed   int64               // units of the control seen in the treatment too
	fresh     time.Duration       // age of the freshness
	newest    time.Duration       // age of the newest counted event
	state     string              // of the shard
	config    uint32              // version that the shard counts under; 0: the newest
	afterEnd  time.Time           // newest treatment exposure after the end
	ledgerErr error
	logErr    error  // of reading the decision log
	still     uint64 // the last part when nothing comes in any more; 0: one a second

	off     bool
	offAt   time.Time       // when the call that turned it off arrived
	armsOff map[string]bool // arms with an off of their own: whether they are off
	changes int             // in the flag system's audit log
	reads   int             // how often a killed experiment's switch was read
	stale   int             // how many of the next readings have not heard of the kill
	calls   []Order         // calls that changed the switch, or tried to
	refuse  Result          // what the switch answers instead of turning off
	saved   string          // what turning off overwrites

	stepwise bool           // every phase that has settled has cells, as many as there are
	traffic  float64        // as the flag system has it
	moves    []TrafficOrder // calls that changed it, or tried to
	unable   string         // why the switch cannot set it
	locked   error          // why it cannot be read
	slow     time.Duration
	held     string // why nothing of any experiment may grow
}

func newWorld(e ...experiment.Experiment) *world {
	return &world{
		versions: []experiment.Version{{Number: 1, AppliedAt: time.Now().UTC(), Experiments: e}},
		kept:     map[string]uint64{}, state: "ok",
		cells: map[string][2]int64{"control": {5000, 250}, "treatment": {5000, 250}},
	}
}

// harmful makes the treatment's error rate four times the control's.
func (w *world) harmful() { w.setCells(5000, 250, 5000, 1000) }

func (w *world) setCells(nC, errorsC, nT, errorsT int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cells = map[string][2]int64{"control": {nC, errorsC}, "treatment": {nT, errorsT}}
}

func checkout() experiment.Experiment {
	start := time.Now().UTC().Add(-time.Hour)
	return experiment.Experiment{
		Key: "checkout", UnitKind: "user", Control: "control",
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Window:   experiment.Duration(time.Hour), Crossovers: experiment.Exclude,
		Alpha: .05, AlphaKill: .05, PlannedUnits: 10000,
		Stall: experiment.Duration(time.Minute), Silence: experiment.Duration(10 * time.Minute),
		Goals: []string{"purchases"}, KillSwitch: "flags",
		Guardrails: []experiment.Guardrail{{Metric: "errors", Margin: .1, Relative: true, Mode: experiment.Kill, OnNoData: experiment.HoldOnNoData}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: start, EnrolUntil: start.Add(14 * 24 * time.Hour), End: start.Add(15 * 24 * time.Hour),
			Phases: []experiment.Phase{{Number: 1, From: start, Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics: []experiment.Metric{
				{Name: "errors", Event: "error", Kind: experiment.Proportion, Direction: experiment.Decrease},
				{Name: "purchases", Event: "purchase", Kind: experiment.Proportion, Direction: experiment.Increase},
			},
			AlphaKill: .05, KillRules: 1, KillGuardrails: []string{"errors"},
		}},
	}
}

func (w *world) newestVersion() experiment.Version {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.versions[len(w.versions)-1]
}

// guard is one guard's way to the world. It can be made to die at its n-th
// operation, before or after the operation took place.
type guard struct {
	*world
	t     testing.TB
	ops   int
	dieAt int // 0: never
	dead  bool
	die   func()
}

var errDead = errors.New("this guard is dead")

// op counts an operation and runs it, unless the guard dies of it. Odd points
// are deaths before the operation, even ones after it.
func (g *guard) op(f func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return errDead
	}
	g.ops++
	if g.dieAt > 0 && 2*g.ops-1 == g.dieAt {
		g.dead = true
		g.die()
		return errDead
	}
	err := f()
	if g.dieAt > 0 && 2*g.ops == g.dieAt {
		g.dead = true
		g.die()
		return errDead
	}
	return err
}

func (g *guard) VersionNumber(context.Context) (n uint32, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return uint32(len(g.versions)), nil
}

func (g *guard) VersionAt(_ context.Context, n uint32) (experiment.Version, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n < 1 || int(n) > len(g.versions) {
		return experiment.Version{}, fmt.Errorf("no version %d", n)
	}
	return g.versions[n-1], nil
}

func (g *guard) AppendVersion(_ context.Context, v experiment.Version) error {
	return g.op(func() error {
		g.offered++
		if int(v.Number) != len(g.versions)+1 {
			return fmt.Errorf("version %d is taken", v.Number)
		}
		g.versions = append(g.versions, v)
		return nil
	})
}

// seq is the last part of the ledger.
func (w *world) seq() uint64 {
	if w.still > 0 {
		return w.still
	}
	return uint64(time.Now().Unix())
}

func (g *guard) Statuses(context.Context) ([]results.ShardStatus, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	return []results.ShardStatus{{Shard: 0, Seq: g.seq(), Freshness: now.Add(-g.fresh), State: g.state, At: now}}, nil
}

func (g *guard) Moments(_ context.Context, queries []Query) (results.Moments, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ledgerErr != nil {
		return results.Moments{}, g.ledgerErr
	}
	now := time.Now()
	config := g.config
	if config == 0 {
		config = uint32(len(g.versions))
	}
	m := results.Moments{Vector: map[uint16]uint64{0: g.seq()}, Config: map[uint16]uint32{0: config}}
	for _, q := range queries {
		for _, phase := range g.phases(now) {
			for variant, c := range g.cells {
				if g.stepwise { // units go on coming in
					more := 600 + int64(now.Sub(g.versions[0].AppliedAt)/time.Second)
					c = [2]int64{c[0] * more / 600, c[1] * more / 600}
				}
				units, events := sums(c[0], c[0]), sums(c[0], c[1])
				cell := results.Cell{Experiment: q.Experiment, Iteration: q.Iteration, Phase: phase, Variant: variant, Newest: now.Add(-g.newest)}
				for metric, s := range map[string]results.Sums{ingest.Units: units, "errors": events, "purchases": events} {
					cell.Metric, cell.Open, cell.Matured = metric, s, s
					m.Cells = append(m.Cells, cell)
				}
			}
		}
		if g.wrong > 0 {
			for verdict, n := range map[string]int64{"match": 1000 - g.wrong, "mismatch": g.wrong} {
				m.Cells = append(m.Cells, results.Cell{Experiment: q.Experiment, Iteration: q.Iteration, Phase: 1, Variant: "control",
					Metric: ingest.Assignment, Value: verdict, Open: results.Sums{N: n}})
			}
		}
		if g.crossed > 0 {
			m.Cells = append(m.Cells, results.Cell{Experiment: q.Experiment, Iteration: q.Iteration, Phase: 1, Variant: "control",
				Metric: ingest.CrossoverUnits, Value: "treatment", Open: results.Sums{N: g.crossed}})
		}
		if !g.afterEnd.IsZero() {
			m.Cells = append(m.Cells, results.Cell{Experiment: q.Experiment, Iteration: q.Iteration, Variant: "treatment",
				Metric: ingest.AfterEnd, Open: results.Sums{N: 7}, Newest: g.afterEnd})
		}
	}
	return m, nil
}

// phases are those with cells.
func (w *world) phases(now time.Time) []uint16 {
	numbers := []uint16{1}
	if !w.stepwise {
		return numbers
	}
	it := w.versions[len(w.versions)-1].Experiments[0].Latest()
	for _, p := range it.Phases[1:] {
		if p.Traffic > 0 && !now.Before(p.From.Add(p.Settle.Std()+2*time.Minute)) {
			numbers = append(numbers, p.Number)
		}
	}
	return numbers
}

func (g *guard) CannotSet(string, *experiment.Ramp) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.unable
}

// HasTraffic reads what a hand may have set.
func (g *guard) HasTraffic(_ context.Context, _, _ string, traffic ...float64) (bool, string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.locked != nil {
		return false, "", g.locked
	}
	return slices.Contains(traffic, g.traffic), fmt.Sprintf("%.4g %%", 100*g.traffic), nil
}

// SetTraffic does what Off does.
func (g *guard) SetTraffic(ctx context.Context, o TrafficOrder, progress func(guardrails.EntryKind, time.Time)) (Result, error) {
	g.mu.Lock()
	there, refuse, slow := g.traffic == o.Traffic, g.refuse, g.slow
	g.mu.Unlock()
	if there {
		return Result{State: guardrails.Verified, OffAt: time.Now(), Detail: "it was so already"}, nil
	}
	at := time.Now()
	progress(guardrails.Sending, at)
	select {
	case <-ctx.Done():
		return Result{}, ctx.Err()
	case <-time.After(10*time.Millisecond + slow):
	}
	if err := g.op(func() error {
		g.moves = append(g.moves, o)
		if refuse.State == "" {
			g.traffic, g.offAt = o.Traffic, at
			g.changes++
		}
		return nil
	}); err != nil {
		return Result{}, err
	}
	if refuse.State != "" {
		return refuse, nil
	}
	progress(guardrails.Accepted, at)
	return Result{State: guardrails.Verified, OffAt: at, Detail: "200 OK"}, nil
}

func sums(n, nonZero int64) results.Sums {
	return results.Sums{N: n, NonZero: nonZero, Sum: big.NewInt(nonZero), SumSquares: big.NewInt(nonZero)}
}

func (g *guard) Entries(_ context.Context, after uint64) (out []guardrails.Entry, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return nil, errDead
	}
	if g.logErr != nil {
		return nil, g.logErr
	}
	return append(out, g.entries[min(after, uint64(len(g.entries))):]...), nil
}

func (g *guard) Append(_ context.Context, e guardrails.Entry, after string) (string, error) {
	err := g.op(func() error {
		if e.Seq != uint64(len(g.entries))+1 {
			return guardrails.ErrTaken
		}
		if e.Seq > 1 && after != g.entries[e.Seq-2].Hash {
			return fmt.Errorf("entry %d does not follow %q", e.Seq, after)
		}
		e.Hash = fmt.Sprintf("hash-%d", e.Seq)
		g.entries = append(g.entries, e)
		return nil
	})
	return e.Hash, err
}

func (g *guard) NewID(time.Time) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.named++
	return fmt.Sprintf("look-%d", g.named)
}

func (g *guard) Store(_ context.Context, looks []*Look) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range looks {
		g.looks = append(g.looks, *l)
	}
	return nil
}

func (g *guard) Keep(_ context.Context, id string, decision uint64) error {
	return g.op(func() error { g.kept[id] = decision; return nil })
}

func (g *guard) Recent(_ context.Context, experiment string, iteration uint32, since time.Time) (out []*results.Document, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.looks {
		d := l.Document
		if d.Kind == results.KindGuard && d.Experiment == experiment && d.Iteration == iteration && !d.At.Before(since) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (g *guard) Off(ctx context.Context, o Order, progress func(guardrails.EntryKind, time.Time)) (Result, error) {
	g.mu.Lock()
	off, refuse, slow, saved := g.isOff(o), g.refuse, g.slow, g.saved
	g.mu.Unlock()
	if off {
		return Result{State: guardrails.Verified, OffAt: time.Now(), Detail: "it was off already"}, nil
	}
	at := time.Now()
	if saved != "" {
		o.Keep(saved)
	}
	progress(guardrails.Sending, at)
	select {
	case <-ctx.Done():
		return Result{}, ctx.Err()
	case <-time.After(10*time.Millisecond + slow):
	}
	if err := g.op(func() error {
		g.calls = append(g.calls, o)
		if refuse.State == "" && !g.isOff(o) {
			g.turnOff(o)
			g.offAt = at
			g.changes++
		}
		return nil
	}); err != nil {
		return Result{}, err
	}
	if refuse.State != "" {
		return refuse, nil
	}
	progress(guardrails.Accepted, at)
	return Result{State: guardrails.Verified, OffAt: at, Detail: "200 OK"}, nil
}

func (g *guard) IsOff(_ context.Context, o Order) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reads++
	if g.stale > 0 {
		g.stale--
		return false, nil
	}
	return g.isOff(o), nil
}

// isOff tells whether what an order names is off; of an arm, also when all is.
func (w *world) isOff(o Order) bool { return w.off || o.Arm != "" && w.armsOff[o.Arm] }

func (w *world) turnOff(o Order) {
	if o.Arm == "" {
		w.off = true
		return
	}
	w.armsOff[o.Arm] = true
}

// OffersArm: each arm that has an entry has an off of its own.
func (g *guard) OffersArm(_, arm string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.armsOff[arm]
	return ok
}

func (g *guard) Drill(_ context.Context, o Order) (Drill, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Drill{Switch: o.Switch, Reads: map[bool]string{true: "off", false: "on"}[g.off], Method: "POST", Host: "flags.example.com"}, nil
}

func (g *guard) Notify(a Alert) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alerts = append(g.alerts, a)
}

// Beat is a word of a guard that lives.
func (g *guard) Beat(_ context.Context, instance string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return errDead
	}
	if g.words == nil {
		g.words = map[string]time.Time{}
	}
	g.words[instance] = time.Now()
	return nil
}

func (g *guard) Beats(context.Context) (map[string]time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.words), nil
}

// Facts implements Signals.
func (w *world) Facts(string, uint32) []signals.Fact {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]signals.Fact(nil), w.signals...)
}

func (g *guard) parts() Parts {
	return Parts{Versions: g, Ledger: g, Journal: g, Looks: g, Switch: g, Arms: g, Traffic: g, Signals: g, Notifier: g, Holds: g}
}

// run lets a guard work for a time, or until it dies of what dieAt says. It
// returns the number of points at which it could have died.
func (w *world) run(t testing.TB, c Config, dieAt int, d time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	g := &guard{world: w, t: t, dieAt: dieAt, die: cancel}
	guarding, err := New(c, g.parts())
	if err != nil {
		t.Fatal(err)
	}
	if err := guarding.Run(ctx); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return 2 * g.ops
}

// kinds counts the entries by kind.
func (w *world) kinds() map[guardrails.EntryKind]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := map[guardrails.EntryKind]int{}
	for _, e := range w.entries {
		n[e.Kind]++
	}
	return n
}

// lastVerdict is the verdict of the last stored look.
func (w *world) lastVerdict(t testing.TB) results.Verdict {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.looks) == 0 {
		t.Fatal("no look was stored")
	}
	d := w.looks[len(w.looks)-1].Document
	if len(d.Verdicts) != 1 {
		t.Fatalf("the last look has %d verdicts, want 1", len(d.Verdicts))
	}
	return d.Verdicts[0]
}

func (w *world) alertTitles() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	titles := map[string]bool{}
	for _, a := range w.alerts {
		titles[a.Title] = true
	}
	return maps.Clone(titles)
}

// pass lets time go by: the bubble's, which costs nothing.
func pass(d time.Duration) { <-time.After(d) }
