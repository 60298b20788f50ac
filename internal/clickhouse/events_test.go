package clickhouse_test

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
)

var names = []string{"exposures", "outcomes"}

// someEvents makes n events of few units on both topics, offsets from 0.
func someEvents(rng *rand.Rand, n int) []ingest.Event {
	events := make([]ingest.Event, n)
	var next [2]int64
	for i := range events {
		e := &events[i]
		e.Place = ingest.Place{Topic: uint8(rng.IntN(2))}
		e.Place.Offset = next[e.Place.Topic]
		next[e.Place.Topic]++
		// Two years of months: one block touches many partitions.
		e.T = 1_700_000_000_000 + rng.Int64N(63_000_000_000)
		e.KafkaT = e.T + rng.Int64N(100_000)
		e.Unit = ingest.Unit{Hi: rng.Uint64() % 3 << 62, Lo: rng.Uint64() % 5}
		e.UnitKind = "user"
		e.Misplaced = rng.IntN(20) == 0
		e.Decode = rng.Uint32()
		if rng.IntN(3) == 0 {
			e.Origin = ingest.Origin{Copied: true, Partition: rng.Int32N(3), Offset: rng.Int64N(1 << 40)}
		}
		if e.Place.Topic == 0 {
			e.Type, e.Experiment, e.Variant = ingest.Exposure, "checkout", []string{"control", "treatment"}[rng.IntN(2)]
		} else {
			e.Type, e.Name = ingest.Outcome, "purchase"
			e.Value = ingest.Int128{Hi: rng.Int64N(1<<20) - 1<<19, Lo: rng.Uint64()}
		}
		if rng.IntN(2) == 0 {
			e.ID = "id-" + itoa(rng.Uint64())
		}
		for _, name := range []string{"browser", "country", "ünïcode"}[rng.IntN(4):] {
			e.Attrs = append(e.Attrs, ingest.Attr{Name: name, Value: "v'\t\\\n\x00" + itoa(rng.Uint64()%9)})
		}
	}
	return events
}

func inOrder(a, b ingest.Event) int {
	return cmp.Or(cmp.Compare(a.Unit.Hi, b.Unit.Hi), cmp.Compare(a.Unit.Lo, b.Unit.Lo), cmp.Compare(a.T, b.T),
		cmp.Compare(int64(a.Place.Topic), int64(b.Place.Topic)), cmp.Compare(a.Place.Offset, b.Place.Offset))
}

func TestEventsComeBack(t *testing.T) {
	s := newStore(t)
	rng := rand.New(rand.NewPCG(1, 2))
	events := someEvents(rng, 3000)
	// Everything twice, in other blocks and another order, and one shard beside.
	shuffled := slices.Clone(events)
	rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, write := range [][]ingest.Event{events, shuffled[:1234], shuffled[1234:]} {
		if err := s.AppendEvents(t.Context(), 5, names, write, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AppendEvents(t.Context(), 6, names, events[:100], nil); err != nil {
		t.Fatal(err)
	}

	below := map[string]int64{"exposures": 1000, "outcomes": 1200}
	want := slices.DeleteFunc(slices.Clone(events), func(e ingest.Event) bool {
		return e.Place.Offset >= below[names[e.Place.Topic]]
	})
	for i := range want {
		want[i].Decode = 0 // what has been read already is not decoded again
	}
	slices.SortFunc(want, inOrder)
	var got []ingest.Event
	err := s.EventsBelow(t.Context(), 5, below, func(e *ingest.Event) error {
		got = append(got, *e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestEventsOf asks for a thousand units, as a read-back does: those that have
// rows come back as EventsBelow has them, whatever else is stored.
func TestEventsOf(t *testing.T) {
	s := newStore(t)
	events := benchEvents(4000)
	for i := range events {
		events[i].Unit = events[i%2000].Unit
	}
	for range 2 {
		if err := s.AppendEvents(t.Context(), 5, names, events, nil); err != nil {
			t.Fatal(err)
		}
	}
	below := map[string]int64{"exposures": 1500, "outcomes": 1200}
	units, wanted := []ingest.Unit{{Hi: 1, Lo: 2}, {}}, map[ingest.Unit]bool{}
	for i := range 998 {
		units = append(units, events[i].Unit)
		wanted[events[i].Unit] = true
	}
	read := func(what func(func(*ingest.Event) error) error) (list []ingest.Event) {
		if err := what(func(e *ingest.Event) error { list = append(list, *e); return nil }); err != nil {
			t.Fatal(err)
		}
		return list
	}
	got := read(func(fn func(*ingest.Event) error) error { return s.EventsOf(t.Context(), 5, units, below, fn) })
	want := read(func(fn func(*ingest.Event) error) error { return s.EventsBelow(t.Context(), 5, below, fn) })
	want = slices.DeleteFunc(want, func(e ingest.Event) bool { return !wanted[e.Unit] })
	if diff := gocmp.Diff(want, got); diff != "" || len(got) < 900 {
		t.Errorf("%d events (-want +got):\n%s", len(got), diff)
	}
	if none := read(func(fn func(*ingest.Event) error) error { return s.EventsOf(t.Context(), 5, nil, below, fn) }); none != nil {
		t.Errorf("%d events of no units", len(none))
	}
}

// TestUnitsStored: every unit of the shard that has rows, and no other.
func TestUnitsStored(t *testing.T) {
	s := newStore(t)
	events := benchEvents(4000)
	for i := range events {
		events[i].Unit = events[i%1000].Unit
	}
	events[17].Unit = ingest.Unit{}
	for shard := range uint16(2) { // the other shard's are beside
		if err := s.AppendEvents(t.Context(), 5+shard, names, events[2000*shard:], nil); err != nil {
			t.Fatal(err)
		}
	}
	got, want := map[ingest.Unit]bool{}, map[ingest.Unit]bool{}
	for i := range events {
		want[events[i].Unit] = true
	}
	calls := 0
	if err := s.UnitsStored(t.Context(), 5, func(u ingest.Unit) { got[u], calls = true, calls+1 }); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, got); diff != "" || calls > 2*len(want) {
		t.Errorf("%d calls for %d units (-want +got):\n%s", calls, len(want), diff)
	}
	if err := s.UnitsStored(t.Context(), 7, func(u ingest.Unit) { t.Errorf("a shard without rows has %v", u) }); err != nil {
		t.Error(err)
	}
}

// TestEventsSeen: whom an experiment concerns is found by its exposures, also those
// above the marks, and comes back whole.
func TestEventsSeen(t *testing.T) {
	s := newStore(t)
	events, wanted := benchEvents(4000), map[ingest.Unit]bool{}
	for i := range events {
		e := &events[i]
		if e.Unit = events[i%1000].Unit; e.Type == ingest.Exposure && i%7 == 0 {
			e.Experiment, wanted[e.Unit] = "rare", true
		}
	}
	if err := s.AppendEvents(t.Context(), 5, names, events, nil); err != nil {
		t.Fatal(err)
	}
	below := map[string]int64{"exposures": 1500, "outcomes": 1200}
	var got, want []ingest.Event
	err := errors.Join(
		s.EventsSeen(t.Context(), 5, []string{"rare", "nobody's"}, below, func(e *ingest.Event) error { got = append(got, *e); return nil }),
		s.EventsBelow(t.Context(), 5, below, func(e *ingest.Event) error { want = append(want, *e); return nil }))
	all := len(want)
	want = slices.DeleteFunc(want, func(e ingest.Event) bool { return !wanted[e.Unit] })
	if diff := gocmp.Diff(want, got); err != nil || diff != "" || len(got) < 100 || len(got) == all {
		t.Errorf("%v; %d events of %d (-want +got):\n%s", err, len(got), all, diff)
	}
}

func TestEventsOfATopicWithoutMarkStayInvisible(t *testing.T) {
	s := newStore(t)
	if err := s.AppendEvents(t.Context(), 0, names, someEvents(rand.New(rand.NewPCG(3, 4)), 100), nil); err != nil {
		t.Fatal(err)
	}
	topics := map[uint8]bool{}
	err := s.EventsBelow(t.Context(), 0, map[string]int64{"outcomes": 1000}, func(e *ingest.Event) error {
		topics[e.Place.Topic] = e.Type == ingest.Outcome
		return nil
	})
	if diff := gocmp.Diff(map[uint8]bool{0: true}, topics); err != nil || diff != "" {
		t.Errorf("topic 0 is now outcomes, alone (%v):\n%s", err, diff)
	}
}

func TestUnitEvents(t *testing.T) {
	s := newStore(t)
	events := someEvents(rand.New(rand.NewPCG(5, 6)), 500)
	for _, shard := range []uint16{1, 1, 2} {
		if err := s.AppendEvents(t.Context(), shard, names, events, nil); err != nil {
			t.Fatal(err)
		}
	}
	unit := ingest.Unit{Hi: 2 << 62, Lo: 3}
	var want []clickhouse.StoredEvent
	for _, shard := range []uint16{1, 2} {
		for _, e := range events {
			if e.Unit == unit {
				topic := names[e.Place.Topic]
				e.Place.Topic = 0
				want = append(want, clickhouse.StoredEvent{Event: e, Topic: topic, Shard: shard})
			}
		}
	}
	if len(want) == 0 {
		t.Fatal("the unit has no events: choose another seed")
	}
	slices.SortFunc(want, func(a, b clickhouse.StoredEvent) int {
		return cmp.Or(cmp.Compare(a.T, b.T), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Place.Offset, b.Place.Offset), cmp.Compare(int64(a.Shard), int64(b.Shard)))
	})
	got, err := s.UnitEvents(t.Context(), unit)
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("events (-want +got), %v:\n%s", err, diff)
	}
}

func TestDeadAt(t *testing.T) {
	s := newStore(t)
	want := ingest.Dead{Place: ingest.Place{Offset: 17}, KafkaT: 1_700_000_000_123, Reason: ingest.BadJSON, Size: 212, Position: -1, Detail: "no object"}
	if err := s.AppendEvents(t.Context(), 2, names, nil, []ingest.Dead{want, want}); err != nil {
		t.Fatal(err)
	}
	got, err := s.DeadAt(t.Context(), clickhouse.Place{Topic: "exposures", Shard: 2, Offset: 17})
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("dead letter (-want +got), %v:\n%s", err, diff)
	}
	if _, err := s.DeadAt(t.Context(), clickhouse.Place{Topic: "outcomes", Shard: 2, Offset: 17}); !errors.Is(err, clickhouse.ErrNotFound) {
		t.Errorf("a place without a dead letter: %v", err)
	}
}

// A column of few distinct strings is sent as indices whose width depends on how
// many there are: 8, 16 or 32 bits.
func TestManyDistinctWords(t *testing.T) {
	s := newStore(t)
	conn := s.raw(t, s.engine.Writer())
	for shard, distinct := range []int{1, 255, 256, 257, 65_535, 65_536, 65_537} {
		events := make([]ingest.Event, distinct)
		for i := range events {
			events[i] = ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Offset: int64(i)}, Experiment: "e" + itoa(uint64(i))}
		}
		if err := s.AppendEvents(t.Context(), uint16(shard), names, events, nil); err != nil {
			t.Fatal(err)
		}
		wrong := scalar[uint64](t, conn, "SELECT countIf(experiment != concat('e', toString(offset))) FROM events WHERE shard = "+itoa(uint64(shard)))
		if n := scalar[uint64](t, conn, "SELECT uniqExact(experiment) FROM events WHERE shard = "+itoa(uint64(shard))); n != uint64(distinct) || wrong > 0 {
			t.Errorf("%d distinct words: %d came back, %d of them wrong", distinct, n, wrong)
		}
	}
}

// TestOutcomesSeen: how often an event came since a time, and when last; what never came
// is not told.
func TestOutcomesSeen(t *testing.T) {
	s := newStore(t)
	events := benchEvents(400)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	want := uint64(0)
	for i := range events {
		e := &events[i]
		e.T = begin.Add(time.Duration(i) * time.Minute).UnixMilli()
		if e.Type == ingest.Outcome {
			if e.Name = "purchase"; i >= 100 {
				want++
			}
		}
	}
	if err := s.AppendEvents(t.Context(), 5, names, events, nil); err != nil {
		t.Fatal(err)
	}
	got, err := s.OutcomesSeen(t.Context(), []string{"purchase", "refund"}, begin.Add(100*time.Minute))
	if err != nil || len(got) != 1 || got[0].Event != "purchase" || got[0].Count != want || want == 0 {
		t.Errorf("%+v, %v, want %d purchases", got, err, want)
	}
}

// TestEventsRecent: units that have a record not much older than the newest below the
// marks come back whole, and no others.
func TestEventsRecent(t *testing.T) {
	s := newStore(t)
	events := benchEvents(4000) // one a millisecond
	for i := range events {
		events[i].Unit = events[i%1000].Unit
	}
	events[3999].Unit = ingest.Unit{}
	if err := s.AppendEvents(t.Context(), 5, names, events, nil); err != nil {
		t.Fatal(err)
	}
	below := map[string]int64{names[0]: 1500, names[1]: 1700}
	newest := int64(0)
	for i := range events {
		if e := &events[i]; e.Place.Offset < below[names[e.Place.Topic]] {
			newest = max(newest, e.KafkaT)
		}
	}
	wanted := map[ingest.Unit]bool{}
	for i := range events {
		if e := &events[i]; e.KafkaT > newest-20 && e.Unit != (ingest.Unit{}) {
			wanted[e.Unit] = true
		}
	}
	var got, want []ingest.Event
	err := errors.Join(
		s.EventsRecent(t.Context(), 5, below, 20*time.Millisecond, func(e *ingest.Event) error { got = append(got, *e); return nil }),
		s.EventsBelow(t.Context(), 5, below, func(e *ingest.Event) error { want = append(want, *e); return nil }))
	if err != nil {
		t.Fatal(err)
	}
	all := len(want)
	want = slices.DeleteFunc(want, func(e ingest.Event) bool { return !wanted[e.Unit] })
	if diff := gocmp.Diff(want, got); diff != "" || len(got) == 0 || len(got) == all {
		t.Errorf("%d of %d rows (-want +got):\n%s", len(got), all, diff)
	}
}

// TestRanges: in how many ranges units are read, and how many rows are sorted at once,
// changes nothing; nor does a unit that has too many.
func TestRanges(t *testing.T) {
	s := newStore(t)
	events := benchEvents(30_000)
	for i := range events {
		if events[i].Unit = events[i%700].Unit; i%3 == 0 {
			events[i].Unit = events[0].Unit
		}
	}
	for range 2 { // each place twice, in two parts
		if err := s.AppendEvents(t.Context(), 5, names, events, nil); err != nil {
			t.Fatal(err)
		}
	}
	below := map[string]int64{names[0]: 12_000, names[1]: 13_000}
	read := func() (all []ingest.Event) {
		t.Helper()
		if err := s.EventsBelow(t.Context(), 5, below, func(e *ingest.Event) error { all = append(all, *e); return nil }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	whole := read()
	if len(whole) < 20_000 || !slices.IsSortedFunc(whole, func(a, b ingest.Event) int {
		return cmp.Or(cmp.Compare(a.Unit.Hi, b.Unit.Hi), cmp.Compare(a.Unit.Lo, b.Unit.Lo), cmp.Compare(a.T, b.T), cmp.Compare(a.Place.Topic, b.Place.Topic), cmp.Compare(a.Place.Offset, b.Place.Offset))
	}) {
		t.Fatalf("%d rows, sorted or not", len(whole))
	}
	clickhouse.SetRanges(t, 1000, 4000) // the first unit alone has more
	if diff := gocmp.Diff(whole, read()); diff != "" {
		t.Errorf("in ranges of 1,000 rows (-whole +ranges):\n%s", diff)
	}
}
