package ingest_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// shard is a joiner as a consumer uses one: what was read stands in a table, of
// which the first durable rows are below the watermark.
type shard struct {
	*ingest.Joiner
	read    []ingest.Event
	durable int
	queries int
	back    int            // units asked for
	unread  []ingest.Event // rows of whole units that are still to be loaded, in order
}

// begin is a start at which only the stored units' names are read, also those of events
// above the watermark.
func (s *shard) begin(topics []string, version *experiment.Version) {
	s.Joiner = ingest.NewJoiner(topics, version)
	for i := range s.read {
		if !s.read[i].Anonymous() {
			s.Stored(s.read[i].Unit, true)
		}
	}
	s.unread = s.stored(everyUnit)
	for len(s.unread) > 0 && s.unread[0].Anonymous() {
		s.Restore(&s.unread[0])
		s.unread = s.unread[1:]
	}
}

// load reads some units more.
func (s *shard) load(units int) {
	n := 0
	for ; units > 0 && n < len(s.unread); units-- {
		for u := s.unread[n].Unit; n < len(s.unread) && s.unread[n].Unit == u; n++ {
		}
	}
	if s.Load(s.unread[:n]); n == len(s.unread) {
		s.Complete()
	}
	s.unread = s.unread[n:]
}

// stored are the rows of some units below the watermark, sorted, every third of them
// written twice.
func (s *shard) stored(wanted func(ingest.Unit) bool) []ingest.Event {
	var rows []ingest.Event
	for i, e := range s.read[:s.durable] {
		if !wanted(e.Unit) {
			continue
		}
		if rows = append(rows, e); i%3 == 0 {
			rows = append(rows, e)
		}
	}
	sortRows(rows)
	return rows
}

func everyUnit(ingest.Unit) bool { return true }

// join takes the events in that were read last, and brings back what they need.
func (s *shard) join(events []ingest.Event) []ingest.Fate {
	s.read = append(s.read, events...)
	if absent := s.Absent(events); len(absent) > 0 {
		s.queries++
		s.back += len(absent)
		for _, e := range s.stored(func(u ingest.Unit) bool { return slices.Contains(absent, u) }) {
			s.Restore(&e)
		}
	}
	return s.AddAll(events, nil)
}

// persist is a part that became durable.
func (s *shard) persist(t rapid.TB) []ingest.Row {
	rows := take(t, s.Joiner)
	s.durable = len(s.read)
	s.Durable()
	return rows
}

func (s *shard) adopt(t *rapid.T, v *experiment.Version) {
	_, err := s.AdoptStored(v, func(experiments []string, visit func(*ingest.Event)) error {
		seen := map[ingest.Unit]bool{}
		for _, e := range s.read[:s.durable] {
			if e.Type == ingest.Exposure && slices.Contains(experiments, e.Experiment) {
				seen[e.Unit] = true
			}
		}
		for _, e := range s.stored(func(u ingest.Unit) bool { return seen[u] }) {
			visit(&e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEvictionCannotBeSeen is the law "late is never dropped": state is a cache of
// stored rows. Units go after any event and come back when they are needed; the
// deltas, and what is a duplicate, are those of a joiner that never forgets.
func TestEvictionCannotBeSeen(t *testing.T) {
	for round := range 10 {
		t.Run(strconv.Itoa(round), rapid.MakeCheck(evictionCannotBeSeen))
	}
}

func evictionCannotBeSeen(t *rapid.T) {
	topics := []string{"one", "two"}
	version := drawVersion(t, 1)
	log := interleave(t, drawLog(t, len(topics), version))
	admission := ingest.AdmissionOf(version)
	for i := range log {
		if rapid.Bool().Draw(t, "known") {
			admission.Admit(&log[i], 0)
		}
	}
	s := &shard{Joiner: ingest.NewJoiner(topics, version)}
	never := ingest.NewJoiner(topics, version)
	for _, j := range []*ingest.Joiner{s.Joiner, never} {
		j.SetMany(rapid.SampledFrom([]int{1, 3, 64}).Draw(t, "many"))
	}
	got := ledger{}
	for len(log) > 0 {
		n := rapid.IntRange(1, min(6, len(log))).Draw(t, "batch")
		fates := s.join(log[:n])
		if want := never.AddAll(log[:n], nil); !slices.Equal(fates, want) {
			t.Fatalf("fates %v, without eviction %v", fates, want)
		}
		log = log[n:]
		switch rapid.IntRange(0, 9).Draw(t, "then") {
		case 0: // the part is not durable yet: nothing of it may go
			got.add(take(t, s.Joiner))
			s.Evict(0)
			continue
		case 1:
			got.add(s.persist(t))
			version = drawNext(t, version)
			s.adopt(t, version)
			got.add(take(t, s.Joiner))
			if never.Adopt(version); rapid.Bool().Draw(t, "at_once") {
				s.Durable()
			}
		case 2: // a restart that may hold less than all
			got.add(s.persist(t))
			s.Joiner, s.unread = ingest.NewJoiner(topics, version), nil
			for _, e := range s.stored(everyUnit) {
				s.Restore(&e)
				if rapid.IntRange(0, 5).Draw(t, "full") == 0 {
					s.Evict(0)
				}
			}
		case 3: // a restart at which all is still to be loaded
			got.add(s.persist(t))
			s.begin(topics, version)
		default:
			got.add(s.persist(t))
		}
		if len(s.unread) > 0 {
			s.load(rapid.IntRange(0, 1).Draw(t, "load"))
		}
		switch rapid.IntRange(0, 3).Draw(t, "evict") {
		case 0:
			s.Evict(0)
		case 1:
			s.Evict(s.Bytes() - 1)
		case 2:
			s.Sweep()
		}
	}
	got.add(s.persist(t))
	same(t, got, brute(s.read, version))
}

// interleave reads the topics in some order.
func interleave(t *rapid.T, topics [][]ingest.Event) (log []ingest.Event) {
	topics = slices.Clone(topics)
	for {
		open := slices.DeleteFunc([]int{0, 1}[:len(topics)], func(i int) bool { return len(topics[i]) == 0 })
		if len(open) == 0 {
			return log
		}
		i := rapid.SampledFrom(open).Draw(t, "from")
		log = append(log, topics[i][0])
		topics[i] = topics[i][1:]
	}
}

// TestEvictionAtScale holds a shard of twenty thousand units to a tenth of what it
// needs. Every record comes a second time at the end, when most units are gone.
func TestEvictionAtScale(t *testing.T) {
	const units = 20_000
	topics := []string{"exposures", "outcomes"}
	whole, wholeSums := ingest.NewJoiner(topics, benchVersion()), ledger{}
	s, sums := &shard{Joiner: ingest.NewJoiner(topics, benchVersion())}, ledger{}
	src := newStream(units, arrival)
	limit := int64(0)
	pass := func(check func(got, want []ingest.Fate)) {
		table := map[ingest.Unit][]ingest.Event{}
		for _, e := range s.read {
			table[e.Unit] = append(table[e.Unit], e)
		}
		for at := 0; at < len(src.order); at += 2_000 {
			events := slices.Clone(src.fill(at)[:2_000])
			want := whole.AddAll(events, nil)
			wholeSums.add(whole.Take())
			for _, u := range s.Absent(events) {
				s.back++
				rows := slices.Clone(table[u])
				sortRows(rows)
				for i := range rows {
					s.Restore(&rows[i])
				}
			}
			check(s.AddAll(events, nil), want)
			for _, e := range events {
				table[e.Unit] = append(table[e.Unit], e)
			}
			s.read = append(s.read, events...)
			sums.add(s.persist(t))
			if limit > 0 {
				s.Evict(limit)
				if s.Bytes() > limit {
					t.Fatalf("%d bytes after evicting to %d", s.Bytes(), limit)
				}
			}
		}
	}
	equal := func(got, want []ingest.Fate) {
		if !slices.Equal(got, want) {
			t.Fatal("other fates than without eviction")
		}
	}
	empty := s.Bytes()
	limit = empty + 2_500_000
	pass(equal)
	same(t, sums, wholeSums)
	first := s.back
	pass(func(got, want []ingest.Fate) {
		equal(got, want)
		if slices.ContainsFunc(got, func(f ingest.Fate) bool { return f != ingest.Duplicate }) {
			t.Fatal("a record that comes again is new")
		}
	})
	same(t, sums, wholeSums)
	evicted, restored := s.Evicted()
	if evicted < units || s.back-first < units/2 || restored < int64(s.back) {
		t.Errorf("%d units evicted, %d restored, %d in the second pass: this proved little", evicted, restored, s.back-first)
	}
}

// TestEvictTakesTheOldest: of three generations the youngest stays.
func TestEvictTakesTheOldest(t *testing.T) {
	const each = 30_000
	j := ingest.NewJoiner([]string{"t"}, benchVersion())
	id := func(n uint64) ingest.Unit { return ingest.Unit{Hi: scramble(n), Lo: scramble(n + 1<<40)} }
	for n := range uint64(3 * each) {
		e := ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Offset: int64(n)}, T: origin, Unit: id(n), UnitKind: "user", Experiment: "checkout-cta", Variant: "control"}
		if j.Add(&e); (n+1)%each == 0 {
			j.Take()
			j.Durable()
		}
	}
	j.Evict(j.Bytes() * 3 / 5) // what remembers the evicted takes room, too
	gone := [3]int{}
	for n := range uint64(3 * each) {
		if j.FilterHas(id(n)) {
			gone[n/each]++
		}
	}
	if left := j.Units(); left > 2*each || left < each || gone[0] < each*99/100 || gone[2] > each/50 {
		t.Errorf("%d units left; gone by age: %v", left, gone)
	}
}

// TestAddNeedsTheUnit: adding to an evicted unit would be wrong for ever.
func TestAddNeedsTheUnit(t *testing.T) {
	j := ingest.NewJoiner([]string{"t"}, nil)
	e := ingest.Event{Type: ingest.Outcome, T: origin, Unit: ingest.Unit{Hi: 7}, UnitKind: "user", Name: "x"}
	j.Add(&e)
	if j.Take(); j.Evict(0) != 0 || !j.Whole() {
		t.Error("a unit that is not durable was evicted")
	}
	j.Durable()
	if j.Evict(0) != 1 || j.Whole() || j.Units() != 0 {
		t.Error("the unit is still there")
	}
	defer func() {
		if recover() == nil {
			t.Error("an event was added to a unit that is not here")
		}
	}()
	j.Add(&e)
}

// TestLoad: what is loaded is what is stored, unless it is there already and has more;
// then nothing lacks. After an eviction nothing is loaded.
func TestLoad(t *testing.T) {
	event := func(unit uint64, at int64) ingest.Event {
		return ingest.Event{Type: ingest.Outcome, Place: ingest.Place{Offset: at}, T: origin + at, Unit: ingest.Unit{Hi: unit}, UnitKind: "user", Name: "x"}
	}
	s := &shard{Joiner: ingest.NewJoiner([]string{"t"}, nil)}
	s.join([]ingest.Event{event(1, 0), event(2, 1), event(3, 2)})
	s.persist(t)
	s.begin([]string{"t"}, nil)
	if s.Whole() || s.Units() != 0 || len(s.unread) == 0 {
		t.Fatalf("%d units in memory, %d rows to load", s.Units(), len(s.unread))
	}
	s.join([]ingest.Event{event(2, 3)}) // has one row more than what is being read
	if s.Units() != 1 || s.back != 1 {
		t.Fatalf("%d units in memory, %d read back", s.Units(), s.back)
	}
	s.persist(t)
	s.load(3)
	if !s.Whole() || s.Units() != 3 {
		t.Errorf("%d units in memory, whole: %v", s.Units(), s.Whole())
	}
	if fates := s.join([]ingest.Event{event(1, 4), event(4, 5)}); s.back != 1 || fates[0] != ingest.Accepted {
		t.Errorf("%d read back, %v", s.back, fates)
	}
	s.persist(t)

	s.begin([]string{"t"}, nil)
	s.load(2)
	s.Evict(0) // all but the one whose rows may not be complete
	if rows := s.unread; len(rows) == 0 || s.Load(rows) || s.Units() != 1 {
		t.Errorf("%d rows were loaded after an eviction: %d units", len(rows), s.Units())
	}
	if s.Complete(); s.Whole() {
		t.Error("the state is whole without those that were evicted")
	}
}

// TestNamesShrink: names that only evicted units had are forgotten, the others
// keep their meaning.
func TestNamesShrink(t *testing.T) {
	s := &shard{Joiner: ingest.NewJoiner([]string{"t"}, explained())}
	for n := range 2_000 {
		s.join([]ingest.Event{{Type: ingest.Outcome, Place: ingest.Place{Offset: int64(n)}, T: origin, Unit: ingest.Unit{Hi: scramble(uint64(n + 1))},
			UnitKind: "user", Name: fmt.Sprint("event ", n), Attrs: []ingest.Attr{{Name: "page", Value: fmt.Sprint(n)}}}})
	}
	s.persist(t)
	_, before := s.Names()
	s.Evict(0)
	s.Sweep()
	names, after := s.Names()
	if before != 2_000 || after != 0 || names > 10 {
		t.Errorf("%d tuples, then %d; %d names", before, after, names)
	}
	again := s.read[7]
	if fates := s.join([]ingest.Event{{Type: ingest.Exposure, Place: ingest.Place{Offset: 2_000}, T: origin, Unit: again.Unit, UnitKind: "user", Experiment: "e", Variant: "a"}}); fates[0] != ingest.Accepted {
		t.Error(fates)
	}
	got := ledger{}
	got.add(s.persist(t))
	same(t, got, brute(s.read, explained()))
}

// TestManyEvents: a unit with a hundred thousand exposures, each earlier than the
// one before, and as many outcomes, costs little more than its rows.
func TestManyEvents(t *testing.T) {
	const n = 100_000
	j, got := ingest.NewJoiner([]string{"t"}, benchVersion()), ledger{}
	batch := make([]ingest.Event, 0, 10_000)
	for i := range int64(n) {
		e := ingest.Event{Type: ingest.Exposure, Place: ingest.Place{Offset: i}, T: origin + 40_000_000 - i*100, Unit: ingest.Unit{Hi: 1}, UnitKind: "user", Experiment: "checkout-cta", Variant: "control"}
		if i%2 == 1 {
			e.Type, e.Experiment, e.Variant, e.Name, e.Value = ingest.Outcome, "", "", "purchase", mustValue("0.01")
			e.T += 200_000
		}
		if batch = append(batch, e); len(batch) == cap(batch) {
			j.AddAll(batch, nil)
			batch = batch[:0]
			got.add(take(t, j))
		}
	}
	var buyers, revenue string
	for c, sums := range got.plain() {
		switch {
		case c.Dimension == "" && c.Metric == "revenue":
			revenue = sums
		case c.Dimension == "" && c.Metric == "conversion":
			buyers = sums
		}
	}
	if buyers != "1 1 0 1 1 0 0 0" || revenue != "1 1 0 50000 2500000000 0 0 0" {
		t.Errorf("buyers %q, revenue %q", buyers, revenue)
	}
}
