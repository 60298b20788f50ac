package clickhouse_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// A shop is a shard in which every event counts, so that whatever is tampered with
// can be seen: 40 units, one exposure and two purchases each, in four parts.
const shopUnits = 40

func newShop(t *testing.T) (store, *realm) {
	t.Helper()
	s := newStore(t)
	w := newRealm(1, 0)
	w.version = &experiment.Version{Number: 1, AppliedAt: noon, Author: "tests", Experiments: []experiment.Experiment{{
		Key: "checkout", UnitKind: "user", Variants: []experiment.Variant{{Key: "control"}, {Key: "treatment"}}, Control: "control",
		Window: experiment.Duration(time.Hour), Crossovers: experiment.Exclude,
		Iterations: []experiment.Iteration{{
			Number: 1, Start: noon.Add(-time.Hour), EnrolUntil: noon.Add(5 * time.Hour), End: noon.Add(8 * time.Hour),
			Phases:  []experiment.Phase{{Number: 1, From: noon.Add(-time.Hour)}},
			Metrics: []experiment.Metric{{Name: "revenue", Event: "purchase", Kind: experiment.Mean, Decimals: 2}},
		}},
	}}}
	for u := range int64(shopUnits) {
		unit := ingest.Unit{Hi: uint64(u+1) << 56, Lo: uint64(u + 1)}
		at := w.start + u*60_000
		w.log[0] = append(w.log[0], ingest.Event{Type: ingest.Exposure, T: at, Unit: unit, UnitKind: "user", Experiment: "checkout",
			Variant: []string{"control", "treatment"}[u%2], Place: ingest.Place{Topic: 0, Offset: 2 * u}})
		for k := range int64(2) {
			w.log[1] = append(w.log[1], ingest.Event{Type: ingest.Outcome, T: at + 1000*(k+1), Unit: unit, UnitKind: "user", Name: "purchase",
				Value: amount("19.99"), Place: ingest.Place{Topic: 1, Offset: 2 * (2*u + k)}})
		}
	}
	if err := s.AppendVersion(t.Context(), *w.version); err != nil {
		t.Fatal(err)
	}
	w.sell(t, s.DB, 4)
	return s, w
}

// sell counts the log in so many parts, each larger than the one before.
func (w *realm) sell(t *testing.T, db *clickhouse.DB, parts int) {
	t.Helper()
	j := ingest.NewJoiner(w.topics, w.version)
	for i := range parts {
		part := ingest.Part{Seq: uint64(i + 1), Config: 1, Partitions: 1}
		for topic, list := range w.log {
			from, to := len(list)*i*i/parts/parts, len(list)*(i+1)*(i+1)/parts/parts
			events := list[from:to]
			part.Offsets = append(part.Offsets, counts(uint8(topic), int64(from), events, j.AddAll(events, nil)))
			if err := db.AppendEvents(t.Context(), 0, w.topics, events, nil); err != nil {
				t.Fatal(err)
			}
		}
		part.Rows = j.Take()
		mustAppendTo(t, db, w.topics, part)
	}
}

// TestVerifyNames tampers with a fresh store in one place, and wants that place
// named and nothing else.
func TestVerifyNames(t *testing.T) {
	// The purchase at offset 10 of the outcomes is the second of unit 2: 12:02,
	// control. It was counted by the second part, with the offsets 10 to 39.
	cell := func(what string) string { return "cell checkout/1 revenue control 12:02: " + what }
	const whole = "n 1 (1 not zero), Σy 3998, Σy² 15984004"
	const half = "n 1 (1 not zero), Σy 1999, Σy² 3996001"
	cases := map[string]struct {
		tamper func(*testing.T, store, *realm)
		want   []string
	}{
		"nothing": {func(*testing.T, store, *realm) {}, nil},
		"a delta": {
			alter("ledger UPDATE sy = sy + 1 WHERE mark = 0 AND metric = 'revenue' AND slot = toDateTime('2026-03-01 12:02:00', 'UTC')"),
			[]string{cell(whole + "; found n 1 (1 not zero), Σy 3999, Σy² 15984004")},
		},
		"a delta gone": {
			alter("ledger DELETE WHERE mark = 0 AND metric = 'revenue' AND slot = toDateTime('2026-03-01 12:02:00', 'UTC')"),
			[]string{cell(whole + "; found n 0 (0 not zero), Σy 0, Σy² 0"),
				"chain 0: last part 4, but 4 marks with 4 numbers and 4 attempts; 83 rows of 84 declared"},
		},
		"a value": {
			alter("events UPDATE value = 0 WHERE topic = 'outcomes' AND offset = 10"),
			[]string{cell(half + "; found " + whole)},
		},
		"an event gone": {
			alter("events DELETE WHERE topic = 'outcomes' AND offset = 10"),
			[]string{cell(half + "; found " + whole), "fate outcomes accepted: 79; found 80", "lacking outcomes 10 to 39: 1 events, 0 dead letters"},
		},
		"an event too many": {
			func(t *testing.T, s store, w *realm) {
				e := w.log[1][5]
				e.Place.Offset = 11
				mustStore(t, s, w, e)
			},
			[]string{cell("n 1 (1 not zero), Σy 5997, Σy² 35964009; found " + whole), "fate outcomes accepted: 81; found 80",
				"lacking outcomes 10 to 39: -1 events, 0 dead letters"},
		},
		"a place with two contents": {
			func(t *testing.T, s store, w *realm) {
				e := w.log[1][5]
				e.T++
				mustStore(t, s, w, e)
			},
			[]string{cell("n 1 (1 not zero), Σy 5997, Σy² 35964009; found " + whole), "clash outcomes 10: 2", "fate outcomes accepted: 81; found 80",
				"fate outcomes duplicate: -1; found 0"},
		},
		"a mark": {
			alter("ledger UPDATE accepted = arrayMap(n -> n - 1, accepted), duplicate = arrayMap(n -> n + 1, duplicate) WHERE mark = 1 AND seq = 2"),
			[]string{"fate exposures accepted: 40; found 39", "fate exposures duplicate: 0; found 1", "fate outcomes accepted: 80; found 79", "fate outcomes duplicate: 0; found 1"},
		},
		"a range": {
			alter("ledger UPDATE norecord = arrayMap(n -> n - 1, norecord) WHERE mark = 1 AND seq = 2"),
			[]string{"reconciliation exposures 0 to 79: 1", "reconciliation outcomes 0 to 159: 1"},
		},
		"a projection": {
			lendProjection("look"),
			[]string{"projection look", "projection look"}, // how many groups differ is not the point
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, w := newShop(t)
			c.tamper(t, s, w)
			v, err := s.Verify(t.Context(), clickhouse.VerifySpec{})
			if err != nil {
				t.Fatal(err)
			}
			got := brief(v)
			if name == "a projection" {
				if got = slices.Compact(got); !slices.Equal(got, []string{"projection look"}) {
					t.Errorf("found %q", got)
				}
				return
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +found):\n%s", diff)
			}
		})
	}
}

// What began before the floor is not held against events that may have gone: it is
// said not to be recomputable, and nothing more is claimed.
func TestVerifyBelowTheFloor(t *testing.T) {
	s, w := newShop(t)
	raised := *w.version
	raised.Number, raised.Floor = 2, noon.Add(time.Hour)
	if err := s.AppendVersion(t.Context(), raised); err != nil {
		t.Fatal(err)
	}
	mustAppendTo(t, s.DB, w.topics, ingest.Part{Seq: 5, Config: 2, Partitions: 1})
	alter("events UPDATE value = 0 WHERE topic = 'outcomes' AND offset = 10")(t, s, w)
	v, err := s.Verify(t.Context(), clickhouse.VerifySpec{})
	if err != nil {
		t.Fatal(err)
	}
	report(t, v)
	if diff := gocmp.Diff([]clickhouse.ClosedIteration{{Experiment: "checkout", Iteration: 1, Since: raised.Floor}}, v.Closed); diff != "" {
		t.Errorf("closed (-want +got):\n%s", diff)
	}
	if v.Shards[0].Cells != 0 {
		t.Errorf("%d sums are said to have been compared", v.Shards[0].Cells)
	}
}

// Of worlds whose devices are kept for a shorter time than users, events of devices are
// deleted: iterations of users are recounted as ever, those of devices are said not to be
// recomputable, and nothing is missed.
//
// semantics: floor-kind
func TestVerifyBelowTheFloorOfAUnitKind(t *testing.T) {
	for seed := range uint64(3) {
		s := newStore(t)
		w := newRealm(seed<<8|77, 800)
		first(t, s, w)
		w.consume(t, s.DB, 0)
		floor := millis(w.start + span/2)
		raised := *w.version
		raised.Number, raised.Floors = w.version.Number+1, map[string]time.Time{"device": floor}
		if err := s.AppendVersion(t.Context(), raised); err != nil {
			t.Fatal(err)
		}
		heads, err := s.Heads(t.Context())
		if err != nil || len(heads) != 1 {
			t.Fatal(heads, err)
		}
		mustAppendTo(t, s.DB, w.topics, ingest.Part{Seq: heads[0].Seq + 1, Config: raised.Number, Partitions: 4})
		if err := s.Retire(t.Context(), []clickhouse.Head{{Seq: heads[0].Seq + 1}}); err != nil {
			t.Fatal(err)
		}
		alter(fmt.Sprintf("events DELETE WHERE unit_kind = 'device' AND t < fromUnixTimestamp64Milli(%d)", floor.UnixMilli()))(t, s, w)
		v, err := s.Verify(t.Context(), clickhouse.VerifySpec{})
		if err != nil {
			t.Fatal(err)
		}
		report(t, v)
		open := 0
		for i := range raised.Experiments {
			e := &raised.Experiments[i]
			for k := range e.Iterations {
				it := &e.Iterations[k]
				closed := slices.Contains(v.Closed, clickhouse.ClosedIteration{Experiment: e.Key, Iteration: it.Number, Since: floor})
				if want := e.AsOf(it).UnitKind == "device" && it.Start.Before(floor); closed != want {
					t.Errorf("%s iteration %d of %ss: closed %v", e.Key, it.Number, e.AsOf(it).UnitKind, closed)
				}
				if !closed {
					open++
				}
			}
		}
		if open == 0 || v.Shards[0].Cells == 0 {
			t.Errorf("%d iterations are open, %d cells were compared: this proved little", open, v.Shards[0].Cells)
		}
	}
}

// brief names what was found, in a word or two each.
func brief(v *clickhouse.Verification) []string {
	var out []string
	for _, c := range v.Cells {
		out = append(out, fmt.Sprintf("cell %s/%d %s %s %s: %v; found %v", c.Experiment, c.Iteration, c.Metric, c.Variant, c.Slot.Format("15:04"), c.Expected, c.Found))
	}
	for _, c := range v.Clashes {
		out = append(out, fmt.Sprintf("clash %s %d: %d", c.Topic, c.Offset, c.Contents))
	}
	for _, f := range v.Fates {
		out = append(out, fmt.Sprintf("fate %s %s: %d; found %d", f.Topic, f.Fate, f.Expected, f.Found))
	}
	for _, l := range v.Lacking {
		out = append(out, fmt.Sprintf("lacking %s %d to %d: %d events, %d dead letters", l.Topic, l.From, l.Next-1, l.Events, l.Dead))
	}
	for _, r := range v.Reconciliation {
		out = append(out, fmt.Sprintf("reconciliation %s %d to %d: %d", r.Topic, r.From, r.Next-1, r.Difference))
	}
	for _, c := range v.Chain {
		out = append(out, fmt.Sprintf("chain %d: %s", c.Shard, c.Problem))
	}
	for _, p := range v.Projections {
		out = append(out, "projection "+p.Projection)
	}
	return out
}

// alter is a mutation by somebody who may.
func alter(what string) func(*testing.T, store, *realm) {
	return func(t *testing.T, s store, _ *realm) {
		t.Helper()
		if err := s.raw(t, s.engine.Admin()).Exec(t.Context(), "ALTER TABLE "+what+" SETTINGS mutations_sync = 1"); err != nil {
			t.Fatal(err)
		}
	}
}

func mustStore(t *testing.T, s store, w *realm, e ingest.Event) {
	t.Helper()
	if err := s.AppendEvents(t.Context(), 0, w.topics, []ingest.Event{e}, nil); err != nil {
		t.Fatal(err)
	}
}

// lendProjection gives a part of the ledger the projection of another one, in the
// file system.
func lendProjection(name string) func(*testing.T, store, *realm) {
	return func(t *testing.T, s store, _ *realm) {
		t.Helper()
		admin := s.raw(t, s.engine.Admin())
		paths := partPaths(t, s, admin)
		if len(paths) < 2 {
			t.Fatalf("only %d parts", len(paths))
		}
		a, b := paths[0], paths[1]
		for _, p := range []string{a, b} {
			exec(t, admin, "ALTER TABLE ledger DETACH PART '"+filepath.Base(p)+"'")
		}
		detached := filepath.Join(filepath.Dir(a), "detached")
		one, two := filepath.Join(detached, filepath.Base(a)), filepath.Join(detached, filepath.Base(b))
		proj := name + ".proj"
		if err := errors.Join(os.RemoveAll(filepath.Join(one, proj)), os.CopyFS(filepath.Join(one, proj), os.DirFS(filepath.Join(two, proj)))); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{a, b} {
			exec(t, admin, "ALTER TABLE ledger ATTACH PART '"+filepath.Base(p)+"'")
		}
	}
}

func partPaths(t *testing.T, s store, conn native.Conn) []string {
	t.Helper()
	exec(t, conn, "SYSTEM STOP MERGES ledger")
	lines := s.query(t, conn, "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'ledger' AND active ORDER BY min_block_number", nil, nil)
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "/")
	}
	return lines
}

func exec(t *testing.T, conn native.Conn, statement string) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
