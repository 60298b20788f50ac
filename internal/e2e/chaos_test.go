package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// The tests whose names begin with TestChaos attack the shipped binary on the
// embedded broker, those of TestBroker on a real Apache Kafka. Each ends with an
// exact comparison with the oracle and prints what it did. With -e2e.long N they do
// more, and again, each time with other chances; `make chaos` is that.

// toll is what an attack cost.
type toll struct {
	mu   sync.Mutex
	dead map[string]int // by what was killed, stopped or cut
	at   map[string]int // kills by the point that was aimed at
	took time.Duration

	records, cells, lost, twice, unexplained, different uint64
}

func (y *toll) add(what string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.dead == nil {
		y.dead, y.at = map[string]int{}, map[string]int{}
	}
	y.dead[what] += n
}

func (y *toll) hit(point string) {
	y.add("consumers killed", 1)
	y.mu.Lock()
	defer y.mu.Unlock()
	y.at[point]++
}

// count of one sort.
func (y *toll) count(what string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.dead[what]
}

// join adds another toll to this one.
func (y *toll) join(o *toll) {
	for what, n := range o.dead {
		y.add(what, n)
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	for point, n := range o.at {
		y.at[point] += n
	}
	y.took += o.took
	y.records, y.cells = y.records+o.records, y.cells+o.cells
	y.lost, y.twice, y.unexplained, y.different = y.lost+o.lost, y.twice+o.twice, y.unexplained+o.unexplained, y.different+o.different
}

func (y *toll) String() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	var what []string
	for _, k := range slices.Sorted(maps.Keys(y.dead)) {
		what = append(what, fmt.Sprintf("%d %s", y.dead[k], k))
	}
	return fmt.Sprintf("%s (%.0f kills a minute); of %d records %d lost, %d counted twice, %d offsets unexplained; of %d cells %d differ",
		strings.Join(what, ", "), float64(y.dead["consumers killed"])/max(y.took.Minutes(), 1.0/60), y.records, y.lost, y.twice, y.unexplained, y.cells, y.different)
}

// chaos is a world under attack.
type chaos struct {
	*world
	toll
	seed    uint64
	version int
	away    atomic.Bool // a server may be, and who starts then says so and ends

	power sync.Mutex  // taken by who cuts it, and who needs it
	out   atomic.Bool // it is off
	cuts  atomic.Int64
	on    time.Time // since when it is back
	grid  sync.Mutex
	doors map[*door]bool // of the consumers that are alive
}

// newChaos has three sorts of consumers: victims have every shard to themselves, as
// they believe, and write small parts; forgetful ones are victims that may hold
// next to nothing in memory; members share the shards.
func newChaos(t *testing.T, seed uint64, s setting) *chaos {
	t.Helper()
	s.attributes = []string{"country", "ms"}
	s.more = newFlags(t, obedient).yaml("20s")
	c := &chaos{world: newWorld(t, s), seed: seed}
	c.configureConsumers()
	c.measures()
	c.first(time.Now().Truncate(time.Minute))
	c.assay("apply")
	return c
}

func (c *chaos) configureConsumers() {
	c.configureAs("victim.yaml", c.engine.Writer(), "  group: \"\"\n  batch: {time: 5ms, records: 60}\n  recent: 100ms\n")
	c.configureAs("forgetful.yaml", c.engine.Writer(), "  group: \"\"\n  batch: {time: 5ms, records: 60}\n  recent: 100ms\nmemory: 1MiB\n")
	c.configureAs("member.yaml", c.engine.Writer(), "  batch: {time: 20ms, records: 400}\n")
}

// often is how many times something is done in the short form, and in the long one.
func (*chaos) often(few, many int) int {
	if *longFlag > 1 {
		return many
	}
	return few
}

// rounds are how often an attack is made that takes longer than others for what it
// kills.
func rounds() int { return (*longFlag + 9) / 10 }

// rand is a source of chance of its own for every part of an attack.
func (c *chaos) rand(part uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, part)) }

// traffic lets records flow until the returned function is called.
func (c *chaos) traffic(part uint64) func() {
	now := time.Now()
	b := &babble{Rand: c.rand(part), units: 4000, until: now.UnixMilli()}
	c.produce(b.batch(500)...)
	return c.flow(b, time.Hour)
}

// settle reads to the end with nobody interfering, and holds the ledger against
// the oracle. Whatever differs fails the test; the toll says how much.
func (c *chaos) settle() {
	c.t.Helper()
	c.assay("ingest", "--until-end")
	c.compare()
}

// compare is settle for a log that has been read.
func (c *chaos) compare() {
	c.t.Helper()
	want, f := c.exactly()
	got := c.counted("")
	c.records, c.cells = uint64(len(c.log))+c.junk, uint64(len(want))
	for name, text := range want {
		if got[name] != text {
			c.different++
		}
	}
	counted := ask[uint64](c.world, "SELECT sum(arraySum(accepted)) FROM DB.ledger WHERE mark = 1")
	c.lost += max(f.Accepted, counted) - counted
	c.twice += max(f.Accepted, counted) - f.Accepted
	unexplained := ask[uint64](c.world, `SELECT toUInt64(sum(abs(arraySum(arrayMap((a, b) -> b - a, `+"`from`"+`, next))
		- toInt64(arraySum(accepted) + arraySum(duplicate) + arraySum(dead) + arraySum(misplaced) + arraySum(suppressed) + arraySum(shed) + arraySum(norecord) + arraySum(gap)))))
		FROM DB.ledger WHERE mark = 1`)
	if c.unexplained += unexplained; unexplained > 0 {
		c.t.Errorf("%d offsets are unexplained", unexplained)
	}
}

// report prints the toll and adds it to the suite's.
func (c *chaos) report(began time.Time) {
	c.took = time.Since(began)
	c.t.Logf("%v", &c.toll)
	suite.toll.join(&c.toll)
}

// step is one kill: a point of the protocol, or the empty name for a random time.
type step struct {
	name    string
	aim     aim
	prepare func(*chaos, *rand.Rand) error // before the consumer starts
}

// protocol lists every point at which the death of a consumer can be told apart
// from its death at another.
func protocol() []step {
	var all []step
	point := func(what, statement string, prepare func(*chaos, *rand.Rand) error, instants ...instant) {
		for _, m := range instants {
			all = append(all, step{fmt.Sprintf("%s, %v", what, m), aim{statement: statement, instant: m}, prepare})
		}
	}
	point("events", "events", nil, before, begun, torn, sent, answered)
	point("dead letters", "dead", nil, before, begun, torn, sent, answered)
	point("part", "ledger", nil, before, begun, torn, sent, answered)
	point("reading the part back", "near", nil, before, answered)
	point("adopting a version", "ledger", (*chaos).anotherVersion, before, begun, torn, sent, answered)
	point("looking for lost events", "missing", (*chaos).loseEvents, before, answered)
	point("healing lost events", "events", (*chaos).loseEvents, before, begun, torn, sent, answered)
	for _, what := range []string{"chain", "mark", "topics", "version", "run", "units"} {
		point("loading: "+what, what, nil, before, answered)
	}
	point("reading units back", "recall", nil, before, answered)
	return all
}

// pauses are points at which a consumer is stopped for a while as it stands, with
// an insert under way that another consumer then meets. It dies after that.
func pauses() []step {
	var all []step
	for _, statement := range []string{"events", "ledger"} {
		for m := begun; m <= answered; m++ {
			all = append(all, step{fmt.Sprintf("stopped: %s, %v", statement, m), aim{statement: statement, instant: m, keep: true}, nil})
		}
	}
	return all
}

// anotherVersion applies files that differ in nothing that counts, so that every
// shard has a version to adopt.
func (c *chaos) anotherVersion(*rand.Rand) error {
	c.power.Lock() // who applies when there is none says so and ends
	defer c.power.Unlock()
	c.version++
	c.write("metrics/buyers.yaml", fmt.Sprintf("name: buyers\nowner: tests-%d\nkind: proportion\nevent: purchase\ndirection: increase\n", c.version))
	p, err := launch(c.t, c.dir, nil, "apply")
	if err != nil {
		return err
	}
	<-p.ended
	if p.code() != 0 {
		return fmt.Errorf("apply: exit code %d\n%s", p.code(), p.err.String())
	}
	return nil
}

// loseEvents takes the newest stored events of a shard, as a power cut may: for the
// consumers that are alive the server is gone until it is back without them, and a
// little longer, so that they are not always the first to see it.
func (c *chaos) loseEvents(r *rand.Rand) error {
	c.power.Lock()
	defer c.power.Unlock()
	c.out.Store(true)
	defer c.out.Store(false)
	c.cuts.Add(1)
	<-time.After(time.Until(c.on.Add(2 * time.Second))) // power does not go twice in a second
	dark := c.darken()
	c.killEngine()
	shard := r.IntN(int(c.partitions))
	var err error
	await(c.t, 30*time.Second, func() string { return fmt.Sprint(err) }, func() bool {
		err = c.db.Exec(c.t.Context(), fmt.Sprintf(`ALTER TABLE %s.events DELETE WHERE shard = %d AND offset >= (
			SELECT max(offset) FROM %s.events WHERE shard = %d) - 20 SETTINGS mutations_sync = 1`, c.database, shard, c.database, shard))
		return err == nil
	})
	c.on = time.Now()
	c.add("times events were deleted", 1)
	time.AfterFunc(time.Duration(r.IntN(1500))*time.Millisecond, func() {
		for _, d := range dark {
			d.darken(false)
		}
	})
	return nil
}

// darken lets nobody through who is connected now.
func (c *chaos) darken() []*door {
	c.grid.Lock()
	defer c.grid.Unlock()
	dark := slices.Collect(maps.Keys(c.doors))
	for _, d := range dark {
		d.darken(true)
	}
	return dark
}

// door is one for a consumer, on the grid until it is closed.
func (c *chaos) door(a aim) (d *door, shut func(), err error) {
	if d, err = openDoor(c.engine.Addr(), a); err != nil {
		return nil, nil, err
	}
	c.grid.Lock()
	defer c.grid.Unlock()
	if c.doors == nil {
		c.doors = map[*door]bool{}
	}
	c.doors[d] = true
	return d, func() {
		d.close()
		c.grid.Lock()
		defer c.grid.Unlock()
		delete(c.doors, d)
	}, nil
}

// lanes kill consumers side by side, so that those fight over all shards, until
// the steps are done. A step whose point is not met is tried again.
func (c *chaos) lanes(n int, steps []step) {
	c.t.Helper()
	type try struct {
		step
		again int
	}
	todo := make(chan try, 4*len(steps))
	for _, s := range steps {
		todo <- try{s, 3}
	}
	var left sync.WaitGroup
	left.Add(len(steps))
	go func() { left.Wait(); close(todo) }()
	var all errgroup.Group
	for lane := range uint64(n) {
		r := c.rand(100 + lane)
		all.Go(func() error {
			for s := range todo {
				met, err := c.kill(r, s.step)
				if err == nil && !met && s.again > 0 {
					todo <- try{s.step, s.again - 1}
					continue
				}
				if err == nil && !met {
					err = fmt.Errorf("no consumer came to the point %q", s.name)
				}
				left.Done()
				if err != nil {
					c.t.Error(err)
				}
			}
			return nil
		})
	}
	_ = all.Wait() // errors were told
}

// kill starts a consumer and kills it at a point; false: it never came there, and
// was killed at another time.
func (c *chaos) kill(r *rand.Rand, s step) (met bool, err error) {
	a := s.aim
	a.nth = 1 + r.IntN(4)
	if s.prepare != nil {
		a.nth = 1 + r.IntN(2)
		if err := s.prepare(c, r); err != nil {
			return false, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	out, cuts := c.out.Load(), c.cuts.Load()
	d, shut, err := c.door(a)
	if err != nil {
		return false, err
	}
	defer shut()
	p, err := launch(c.t, c.dir, nil, "--config", pick(r, "victim.yaml", "forgetful.yaml"), "--clickhouse", d.addr(), "ingest")
	if err != nil {
		return false, err
	}
	d.guard(func() {
		if !a.keep {
			p.signal(syscall.SIGKILL)
			return
		}
		p.signal(syscall.SIGSTOP)
		c.add("consumers stopped for a while", 1)
		time.Sleep(time.Second)
		p.signal(syscall.SIGCONT)
		time.AfterFunc(200*time.Millisecond, func() { p.signal(syscall.SIGKILL) })
	})
	most := 10 * time.Second
	if s.aim.statement == "" {
		most = time.Duration(100+r.IntN(1200)) * time.Millisecond
	}
	select {
	case <-p.ended:
		if !d.hit() && (c.away.Load() || out || c.cuts.Load() > cuts) {
			time.Sleep(200 * time.Millisecond)
			return c.kill(r, s)
		}
		if !d.hit() {
			return false, fmt.Errorf("a consumer ended by itself with code %d:\n%s", p.code(), tail(p.err.String()))
		}
		c.hit(s.name)
		return true, nil
	case <-time.After(most):
	}
	met = d.hit() // and is being stopped there
	p.kill()
	if met {
		c.hit(s.name)
		return true, nil
	}
	c.hit("at random")
	return s.aim.statement == "", nil
}

// TestChaosEveryStep kills consumers at every point of the protocol, two at a time
// that fight over all shards, while records flow, events are deleted and versions
// applied.
func TestChaosEveryStep(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	for round := range *longFlag {
		t.Run(fmt.Sprint("round ", round+1), func(t *testing.T) {
			c := newChaos(t, seed+uint64(round), setting{partitions: 4, own: true})
			began := time.Now()
			stop := c.traffic(1)
			steps := append(protocol(), pauses()...)
			for range 10 {
				steps = append(steps, step{name: "at random"})
			}
			c.rand(2).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
			c.lanes(2, steps)
			stop()
			c.settle()
			c.report(began)
		})
	}
}
