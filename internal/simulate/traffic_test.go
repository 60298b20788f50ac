package simulate

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// flagsInMemory assigns without a socket, so that the tests' time is not real.
type flagsInMemory struct {
	flags map[string]Flag
	mu    sync.Mutex
	off   map[string]bool
	down  bool
}

func newFlags(stories []Story) *flagsInMemory {
	f := &flagsInMemory{flags: map[string]Flag{}, off: map[string]bool{}}
	for _, flag := range DemoFlags(stories) {
		f.flags[flag.Key] = flag
	}
	return f
}

// Assign implements Assigner.
func (f *flagsInMemory) Assign(_ context.Context, flag, unit string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.down:
		return "", errors.New("no answer")
	case f.off[flag]:
		return "", nil
	default:
		return f.flags[flag].Assign(unit), nil
	}
}

func (f *flagsInMemory) turnOff(flag string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off[flag] = true
}

// log keeps what was emitted and when.
type log struct {
	records []Delivery
	err     error
}

// Emit implements Emitter.
func (l *log) Emit(_ context.Context, topic Topic, key, value []byte) error {
	l.records = append(l.records, Delivery{time.Now(), topic, key, value})
	return l.err
}

// play runs traffic for some virtual time; at some moment something happens.
func play(t *testing.T, f *flagsInMemory, seed uint64, length, moment time.Duration, happens func()) (*log, Tally, time.Time) {
	t.Helper()
	sink, start := &log{}, time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if happens != nil {
		time.AfterFunc(moment, happens)
	}
	traffic := &Traffic{Stories: DemoStories(), Seed: seed, Prefix: "run1-", Flags: f, Sink: sink}
	tally, err := traffic.Run(ctx)
	if err != nil {
		t.Error(err)
	}
	return sink, tally, start
}

// TestTrafficAfterAFlagIsOff: the exposures end with the flag, the outcomes and
// the other experiments go on.
func TestTrafficAfterAFlagIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlags(DemoStories())
		const moment = 10 * time.Second
		sink, tally, start := play(t, f, 1, 20*time.Second, moment, func() { f.turnOff("new-search") })
		end := start.Add(moment).UnixMilli()
		clicks, exposures := 0, map[bool]map[string]int{false: {}, true: {}}
		for _, d := range sink.records {
			e, ok := decode(d)
			switch {
			case !ok:
			case d.Topic == Exposures:
				exposures[e.T > end][e.Experiment]++
			case e.Name == "result_click" && e.T > end+sessionLength:
				clicks++
			}
		}
		if exposures[true]["new-search"] != 0 || exposures[false]["new-search"] < 1000 {
			t.Errorf("%d exposures before the flag was off, %d after", exposures[false]["new-search"], exposures[true]["new-search"])
		}
		if exposures[true]["checkout-button"] < 1000 || clicks < 500 {
			t.Errorf("the product stopped: %v, %d clicks", exposures[true], clicks)
		}
		if tally.Off < 1300 || tally.Off > 1600 { // 10 s at 140 a second, and 5 % returning
			t.Errorf("%d visits found the flag off", tally.Off)
		}
	})
}

// TestTrafficKeepsItsRate: 500 visitors a second until one story's producer dies.
func TestTrafficKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, tally, start := play(t, newFlags(DemoStories()), 1, 30*time.Second, 0, nil)
		if want := 430*30 + 70*20; tally.Visitors < want-20 || tally.Visitors > want {
			t.Errorf("%d visitors, want %d", tally.Visitors, want)
		}
		if tally.Records != len(sink.records) {
			t.Errorf("%d records tallied, %d sent", tally.Records, len(sink.records))
		}
		var last time.Time
		for _, d := range sink.records {
			if !strings.HasPrefix(string(d.Key), "run1-u") {
				t.Fatalf("key %s has no prefix", d.Key)
			}
			if e, ok := decode(d); ok && e.Experiment == "onboarding" {
				last = d.At
			}
		}
		if alive := last.Sub(start); alive > 20*time.Second || alive < 19*time.Second {
			t.Errorf("onboarding sent until %v, want just under 20 s", alive)
		}
	})
}

func TestTrafficIsRepeatable(t *testing.T) {
	once := func(seed uint64) (records []string) {
		synctest.Test(t, func(t *testing.T) {
			sink, _, _ := play(t, newFlags(DemoStories()), seed, 3*time.Second, 0, nil)
			for _, d := range sink.records {
				records = append(records, string(d.Value))
			}
		})
		return records
	}
	if diff := cmp.Diff(once(7), once(7)); diff != "" {
		t.Errorf("the same seed gave other traffic:\n%s", diff)
	}
	if cmp.Equal(once(7), once(8)) {
		t.Error("two seeds gave the same traffic")
	}
}

// TestTrafficWithoutFlagService: users go on, nobody is exposed.
func TestTrafficWithoutFlagService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlags(DemoStories())
		f.down = true
		sink, tally, _ := play(t, f, 1, 5*time.Second, 0, nil)
		for _, d := range sink.records {
			if d.Topic == Exposures {
				t.Fatalf("an exposure without an assignment: %s", d.Value)
			}
		}
		if len(sink.records) == 0 || tally.Unanswered < tally.Visitors || tally.Assigned+tally.Off > 0 {
			t.Errorf("%d records, %+v", len(sink.records), tally)
		}
	})
}

func TestTrafficStopsWhenNothingCanBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := errors.New("the broker is gone")
		traffic := &Traffic{Stories: DemoStories(), Flags: newFlags(DemoStories()), Sink: &log{err: lost}}
		if _, err := traffic.Run(t.Context()); !errors.Is(err, lost) {
			t.Errorf("error %v, want the sink's", err)
		}
	})
}
