package kafka

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/assay-dev/assay/ingest"
)

// without leaves the events of some units out.
func without(log []event, units ...string) []event {
	return slices.DeleteFunc(slices.Clone(log), func(e event) bool { return slices.Contains(units, e.unit) })
}

// erasures are the ways to carry a request out in one test: what becomes of the sums,
// and whether the units are in memory when the request comes.
func erasures(t *testing.T, test func(h *harness, retract bool, small func(*Config))) {
	for _, retract := range []bool{false, true} {
		for _, memory := range []int64{1, 1 << 30} {
			t.Run(fmt.Sprintf("retract=%v memory=%d", retract, memory), func(t *testing.T) {
				bubble(t, func(h *harness) {
					test(h, retract, func(c *Config) { c.Memory, c.Batch.Records = memory, 7 })
				})
			})
		}
	}
}

// Nothing of an erased unit is stored or counted from the part on that adopts the
// request: not what it sends later, not when the shard starts again, not when rows are
// healed, and not when the whole topic is read anew. Its sums stay or are taken back.
//
// semantics: erased-suppressed erased-keep erased-retract erased-healing
func TestErasureIsAdopted(t *testing.T) {
	erasures(t, func(h *harness, retract bool, small func(*Config)) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd(small)
		h.store.erase(retract, "u-1", "u-2", "nobody")
		late := slices.Concat(traffic(0, 6), []event{{unit: "u-1", cents: 9}, {unit: "u-1", variant: "control"}})
		h.produce(late)
		h.untilEnd(small)

		rest := without(log, "u-1", "u-2")
		for i, e := range late {
			if e.cents > 0 && e.unit != "u-1" && e.unit != "u-2" {
				rest = append(rest, late[i])
			}
		}
		want := brute(rest)
		if !retract {
			for i, cents := range map[int]int64{1: 101, 2: 102} {
				key := []string{"cta control ", "cta treatment "}[i%2]
				units, spend := want[key+ingest.Units], want[key+"spend"]
				var sum, squares int64
				fmt.Sscan(spend.sum, &sum)
				fmt.Sscan(spend.sq, &squares)
				want[key+ingest.Units] = sums{units.n + 1, "0", "0"}
				want[key+"spend"] = sums{spend.n + 1, fmt.Sprint(sum + cents), fmt.Sprint(squares + cents*cents)}
				left := h.store.kept([]string{"control", "treatment"}[i%2], "spend")
				if left.N != 1 || left.Sum.String() != fmt.Sprint(cents) || left.SumSquares.String() != fmt.Sprint(cents*cents) {
					h.Errorf("unit %d is said to leave %+v, it had %d cents", i, left, cents)
				}
			}
		} else if len(h.store.left) > 0 {
			h.Errorf("taken back, and said to be kept: %+v", h.store.left)
		}
		check := func(when string) {
			h.Helper()
			if got := h.store.sums(); !equal(got, want) {
				h.Errorf("%s: sums are %v, want %v", when, got, want)
			}
			h.store.reconcile(h.T)
		}
		check("adopted")
		c := h.store.counted()
		if n := c[exposures].Suppressed + c[outcomes].Suppressed; n != 6 { // two of each, and two more of u-1
			h.Errorf("%d records are suppressed, want 6", n)
		}
		h.untilEnd(small) // starts again while the rows are still stored
		check("restarted")
		h.store.carryOut()
		stored := len(h.store.events)
		h.untilEnd(small)
		check("deleted")
		clear(h.store.events) // the store loses everything, and is healed
		clear(h.store.proven)
		h.untilEnd(small, func(c *Config) { c.HealMarks = 1000 })
		check("healed")
		if len(h.store.events) != stored {
			h.Errorf("%d events after healing, want %d", len(h.store.events), stored)
		}

		h.store.truncate() // a ledger that begins at the first offset
		clear(h.store.events)
		clear(h.store.erased)
		clear(h.store.carried)
		clear(h.store.left)
		h.untilEnd(small)
		want = brute(rest)
		check("read anew")
		for _, e := range h.store.events {
			if slices.Contains(h.store.requests[0].Units, e.Unit) {
				h.Fatalf("the unit is back: %+v", e)
			}
		}
	})
}

// A consumer that dies between the note of what units leave and the part that adopts
// their erasure says it again, and counts it once.
func TestErasureAfterACrash(t *testing.T) {
	erasures(t, func(h *harness, retract bool, small func(*Config)) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd(small)
		h.store.erase(retract, "u-1", "u-2")
		var failed sync.Map // by shard; they write beside one another
		h.store.setBeforePart(func(p ingest.Part) error {
			if p.Config != 2 {
				return nil
			}
			if _, again := failed.LoadOrStore(p.Shard, true); again {
				return nil
			}
			return errors.New("the connection broke")
		})
		h.produce([]event{{unit: "u-3", cents: 5}, {unit: "u-1", cents: 5}})
		h.untilEnd(small)
		rest := append(without(log, "u-1", "u-2"), event{unit: "u-3", cents: 5})
		left := h.store.kept("treatment", ingest.Units)
		got, want := h.store.sums(), brute(rest)
		if n := got["cta treatment "+ingest.Units].n - want["cta treatment "+ingest.Units].n; n != left.N || retract != (n == 0) {
			h.Errorf("%d units too many, %d are said to be kept", n, left.N)
		}
		failures := 0
		failed.Range(func(any, any) bool { failures++; return true })
		if failures == 0 {
			h.Error("nothing failed")
		}
	})
}
