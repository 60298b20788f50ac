package clickhouse_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// erasing is a shard of a random world that goes on while units of it are erased.
type erasing struct {
	*testing.T
	store
	w     *realm
	j     *ingest.Joiner
	shard uint16
	seq   uint64
	next  []int
	gone  map[ingest.Unit]bool
}

// read lets the joiner count a share of what is left of the log.
func (e *erasing) read(share int) {
	e.Helper()
	for range 4 {
		part := ingest.Part{Shard: e.shard, Config: e.w.version.Number, Partitions: 4}
		var batch []ingest.Event
		for topic, list := range e.w.log {
			n := (len(list) - e.next[topic]) / share
			all := list[e.next[topic] : e.next[topic]+n]
			events := slices.DeleteFunc(slices.Clone(all), func(x ingest.Event) bool { return e.gone[x.Unit] })
			c := counts(uint8(topic), int64(e.next[topic]), all, e.j.AddAll(events, nil))
			c.Suppressed = uint64(len(all) - len(events))
			part.Offsets = append(part.Offsets, c)
			batch = append(batch, events...)
			e.next[topic] += n
		}
		if err := e.AppendEvents(e.Context(), e.shard, e.w.topics, batch, nil); err != nil {
			e.Fatal(err)
		}
		e.part(part)
	}
}

func (e *erasing) part(p ingest.Part) {
	e.Helper()
	e.seq++
	p.Seq, p.Rows = e.seq, e.j.Take()
	mustAppendTo(e.T, e.DB, e.w.topics, p)
}

// decide appends a line to the decision log and returns its number.
func (e *erasing) decide(kind string, of uint64, evidence any) uint64 {
	e.Helper()
	text, err := json.Marshal(map[string]any{"decision": of, "evidence": evidence})
	if err != nil {
		e.Fatal(err)
	}
	d, err := e.AppendDecision(e.Context(), clickhouse.Decision{At: noon, Kind: kind, Actor: "tests", Evidence: text})
	if err != nil {
		e.Fatal(err)
	}
	return d.Seq
}

// exact verifies the store.
func (e *erasing) exact(when string) {
	e.Helper()
	v, err := e.Verify(e.Context(), clickhouse.VerifySpec{Slice: 200})
	if err != nil {
		e.Fatal(err)
	}
	if v.Differences() > 0 {
		e.Errorf("%s:", when)
		report(e.T, v)
	}
}

// The recount in SQL is exact at each step of an erasure, whichever policy it has: while
// the units' rows are still there, when they are counted as erased, when they are deleted,
// and when more is read afterwards. What was written down for a part that never came is
// nothing, and a ledger that is begun anew has nothing erased.
//
// semantics: erased-verify
func TestErasureIsExact(t *testing.T) {
	for seed, retract := range []bool{false, true} {
		t.Run(fmt.Sprintf("retract=%v", retract), func(t *testing.T) {
			e := &erasing{T: t, store: newStore(t), w: newRealm(uint64(seed)+700, 240), shard: 3, next: []int{0, 0}, gone: map[ingest.Unit]bool{}}
			first(t, e.store, e.w)
			e.j = ingest.NewJoiner(e.w.topics, e.w.version)
			e.read(6)

			var units []ingest.Unit
			for _, x := range e.w.log[0][:6] {
				if !e.gone[x.Unit] {
					e.gone[x.Unit] = true
					units = append(units, x.Unit)
				}
			}
			ctx := t.Context()
			request, policy := "r1", map[bool]string{false: "keep", true: "retract"}[retract]
			if err := e.Suppress(ctx, request, "user", units); err != nil {
				t.Fatal(err)
			}
			if err := e.Suppress(ctx, "nobody asked", "user", []ingest.Unit{e.w.log[0][30].Unit}); err != nil {
				t.Fatal(err)
			}
			asked := e.decide("erasure_asked", 0, map[string]any{"request": request, "policy": policy, "units": len(units)})
			next := e.w.version.Erasing(asked, "", "tests", noon)
			if err := e.AppendVersion(ctx, *next); err != nil {
				t.Fatal(err)
			}
			e.w.version = next
			all, err := e.Suppressed(ctx, 0, asked)
			if err != nil || len(all) != 1 || all[0].Retract != retract || all[0].Seq != asked || len(all[0].Units) != len(units) {
				t.Fatalf("%+v, %v", all, err)
			}
			gave := e.j.Erase(all[0].Units, retract)
			e.j.Adopt(next)
			if (len(gave) == 0) != retract {
				t.Fatalf("units gave %d rows", len(gave))
			}
			if len(gave) > 0 {
				adjust := func(seq uint64, rows []ingest.Row) {
					for range 2 { // a writer that is not sure does it again
						if err := e.NoteAdjustments(ctx, e.shard, []clickhouse.Adjustment{{Seq: seq, Request: asked, Rows: rows}}); err != nil {
							t.Fatal(err)
						}
					}
				}
				adjust(e.seq, gave[:1]) // of one who fell behind
				adjust(e.seq+1, gave)
				adjust(e.seq+2, gave[1:])
			}
			e.part(ingest.Part{Shard: e.shard, Config: next.Number, Partitions: 4})
			e.read(5)
			e.exact("adopted and read on")

			erased, err := e.CountErased(ctx, e.shard, units)
			if err != nil || len(erased) == 0 {
				t.Fatalf("%+v, %v", erased, err)
			}
			for range 2 {
				if err := e.NoteErased(ctx, e.shard, asked, erased); err != nil {
					t.Fatal(err)
				}
			}
			e.exact("counted as erased")
			if upTo, err := e.CarriedOut(ctx, e.shard); err != nil || upTo != asked {
				t.Fatal(upTo, err)
			}
			if missing, err := e.Missing(ctx, e.shard, 0); err != nil || len(missing) > 0 {
				t.Fatalf("missing: %+v, %v", missing, err)
			}
			if left, err := e.UnitsLeft(ctx, request); err != nil || left["events"] == 0 {
				t.Fatalf("rows of them: %v, %v", left, err)
			}
			if err := e.open(t, e.engine.Addr(), e.engine.Admin()).DeleteUnits(ctx, units); err != nil {
				t.Fatal(err)
			}
			e.exact("deleted")
			if left, err := e.UnitsLeft(ctx, request); err != nil || left["events"] != 0 {
				t.Fatalf("rows of them are left: %v, %v", left, err)
			}
			e.decide("erased", asked, nil)
			e.read(3)
			e.exact("read further")

			// A row that comes back is found.
			back := e.w.log[0][0]
			if err := e.AppendEvents(ctx, e.shard, e.w.topics, []ingest.Event{back}, nil); err != nil {
				t.Fatal(err)
			}
			if v, err := e.Verify(ctx, clickhouse.VerifySpec{}); err != nil || v.Differences() == 0 {
				t.Errorf("a row that came back: %v", err)
			}
		})
	}
}
