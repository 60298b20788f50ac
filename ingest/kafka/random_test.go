package kafka

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// TestRandomHistories lets consumers come and go, in a group and without one,
// while the store fails on either side of every step, records are produced and
// versions applied. Whatever happened, the moments are those of the log.
func TestRandomHistories(t *testing.T) {
	histories := uint64(12)
	if testing.Short() {
		histories = 3
	}
	for seed := range histories {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(h *harness) { newHistory(h, seed).run(40) })
		})
	}
}

type history struct {
	*harness
	random  *rand.Rand
	log     []event
	members []*consumer

	mu     sync.Mutex
	faults *rand.Rand
	calm   bool
}

func newHistory(h *harness, seed uint64) *history {
	y := &history{harness: h, random: rand.New(rand.NewPCG(seed, 1)), faults: rand.New(rand.NewPCG(seed, 2))}
	fail := func() error {
		y.mu.Lock()
		defer y.mu.Unlock()
		if !y.calm && y.faults.IntN(6) == 0 {
			return errors.New("a fault that was drawn")
		}
		return nil
	}
	h.store.beforeEvents = func(uint16) error { return fail() }
	h.store.beforePart = func(ingest.Part) error { return fail() }
	h.store.afterPart = func(ingest.Part) error { return fail() }
	return y
}

func (y *history) run(steps int) {
	for range steps {
		switch y.random.IntN(8) {
		case 0, 1, 2:
			part := traffic(len(y.log), 1+y.random.IntN(30))
			y.produce(part)
			y.log = append(y.log, part...)
		case 3:
			y.join()
		case 4:
			y.leave()
		case 5:
			y.store.apply(version(y.start, "spend"))
		case 6:
			y.send(&kgo.Record{Topic: outcomes, Key: []byte("k"), Value: []byte("?")})
		default:
			<-time.After(time.Duration(y.random.IntN(3000)) * time.Millisecond)
		}
	}
	for len(y.members) > 0 {
		y.leave()
	}
	y.mu.Lock()
	y.calm = true
	y.mu.Unlock()
	y.untilEnd()
	y.wantSums(y.log)
}

// join starts a consumer with limits of its own, half of them without the group:
// those fight with everybody.
func (y *history) join() {
	if len(y.members) > 3 {
		return
	}
	cfg := y.config()
	if y.random.IntN(2) == 0 {
		cfg.Group = "assay"
	}
	cfg.Batch.Records = 1 + y.random.IntN(50)
	cfg.Batch.Time = time.Duration(1+y.random.IntN(500)) * time.Millisecond
	if y.random.IntN(2) == 0 {
		cfg.Memory = 1 // nothing stays longer than it must
	}
	cfg.Recent = time.Duration(y.random.IntN(3)) * time.Second
	cfg.StopTimeout = time.Duration(1+y.random.IntN(1000)) * time.Millisecond
	y.members = append(y.members, y.harness.run(cfg))
}

func (y *history) leave() {
	if len(y.members) == 0 {
		return
	}
	i := y.random.IntN(len(y.members))
	y.members[i].stop()
	y.members = append(y.members[:i], y.members[i+1:]...)
}
