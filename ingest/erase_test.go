package ingest_test

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
)

// Units are erased between any two parts of any log, evicted or not, before a restart
// or after it, and the configuration changes before and after. With retract the sums
// are those of a log in which the unit never was; without it they are these and what
// Erase says that it had given.
//
// semantics: erased-keep erased-retract
func TestErasedUnitsAreGone(t *testing.T) {
	for round := range 5 {
		t.Run(strconv.Itoa(round), rapid.MakeCheck(erasedUnitsAreGone))
	}
}

func erasedUnitsAreGone(t *rapid.T) {
	topics := []string{"one", "two"}
	version := drawVersion(t, 1)
	log := interleave(t, drawLog(t, len(topics), version))
	s := &shard{Joiner: ingest.NewJoiner(topics, version)}
	s.SetMany(rapid.SampledFrom([]int{1, 3, 64}).Draw(t, "many"))
	gone := map[ingest.Unit]bool{}
	without := func(events []ingest.Event) []ingest.Event {
		return slices.DeleteFunc(slices.Clone(events), func(e ingest.Event) bool { return gone[e.Unit] })
	}
	got, kept := ledger{}, ledger{}
	for len(log) > 0 {
		n := rapid.IntRange(1, min(6, len(log))).Draw(t, "batch")
		s.join(without(log[:n]))
		log = log[n:]
		got.add(s.persist(t))
		switch rapid.IntRange(0, 3).Draw(t, "then") {
		case 0:
			version = drawNext(t, version)
			s.adopt(t, version)
			got.add(take(t, s.Joiner))
			s.Durable()
		case 1:
			s.Evict(0)
		case 2:
			s.Joiner = ingest.NewJoiner(topics, version)
			for _, e := range s.stored(everyUnit) {
				s.Restore(&e)
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "erase") > 0 {
			continue
		}
		units := rapid.SliceOfNDistinct(rapid.Uint64Range(1, 4), 1, 3, rapid.ID).Draw(t, "units")
		retract := rapid.Bool().Draw(t, "retract")
		var erased []ingest.Unit
		for _, n := range units { // of some of them nothing was ever seen
			erased = append(erased, ingest.Unit{Hi: n << 60, Lo: n})
			gone[erased[len(erased)-1]] = true
		}
		absent := s.AbsentUnits(erased)
		for _, e := range s.stored(func(u ingest.Unit) bool { return slices.Contains(absent, u) }) {
			s.Restore(&e)
		}
		gave := s.Erase(erased, retract)
		if kept.add(gave); retract && len(gave) > 0 {
			t.Fatalf("what was taken back is said to be kept: %+v", gave)
		}
		rows := take(t, s.Joiner)
		if got.add(rows); !retract && len(rows) > 0 {
			t.Fatalf("erasing changes sums that are to be kept: %+v", rows)
		}
		s.read = without(s.read) // their rows are deleted
		s.durable = len(s.read)
		s.Durable()
	}
	got.add(s.persist(t))
	want := brute(s.read, version)
	for cell, sums := range kept {
		w := want.at(cell)
		w.n, w.nonZero, w.over = w.n+sums.n, w.nonZero+sums.nonZero, w.over+sums.over
		for i, v := range sums.all() {
			w.all()[i].Add(w.all()[i], v)
		}
	}
	same(t, got, want)
}

// The memory of an erased unit is given back, its attributes too.
func TestErasedMemory(t *testing.T) {
	j := ingest.NewJoiner([]string{"one"}, explained())
	empty := j.Bytes()
	var units []ingest.Unit
	for i := range uint64(2000) {
		u := ingest.Unit{Hi: i << 52, Lo: i}
		units = append(units, u)
		j.Add(&ingest.Event{Type: ingest.Outcome, T: origin, Unit: u, UnitKind: "user", Name: "buy", Place: ingest.Place{Offset: int64(i)},
			Attrs: []ingest.Attr{{Name: "c", Value: "only " + strconv.FormatUint(i, 10)}}})
	}
	j.Take()
	full := j.Bytes()
	j.Erase(units, true)
	if left := j.Bytes(); j.Units() != 0 || left-empty > (full-empty)/2 {
		t.Errorf("%d units are left in %d bytes; it had %d with them and %d before", j.Units(), left, full, empty)
	}
}
