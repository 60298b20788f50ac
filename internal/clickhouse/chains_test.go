package clickhouse_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

func version(number uint32, author string) experiment.Version {
	return experiment.Version{Number: number, AppliedAt: noon, Author: author, Reason: "why 'not'", Experiments: []experiment.Experiment{{
		Key: "e1", UnitKind: "user", Control: "c", Window: experiment.Duration(7 * 24 * time.Hour),
		Variants: []experiment.Variant{{Key: "c", Share: 0.1}, {Key: "t", Share: 0.9}},
		Iterations: []experiment.Iteration{{Number: 1, Start: noon, Metrics: []experiment.Metric{
			{Name: "m", Kind: experiment.Sum, Decimals: 2, Direction: experiment.Increase, Unit: "EUR"},
		}}},
	}}}
}

func TestVersions(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	if v, err := s.Version(ctx); err != nil || v.Number != 0 {
		t.Fatalf("before the first: %d, %v", v.Number, err)
	}
	for n := uint32(1); n <= 3; n++ {
		if err := s.AppendVersion(ctx, version(n, fmt.Sprint("author", n))); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Version(ctx)
	if diff := cmp.Diff(version(3, "author3"), got); err != nil || diff != "" {
		t.Errorf("last version (-want +got), %v:\n%s", err, diff)
	}
	got, err = s.VersionAt(ctx, 2)
	if diff := cmp.Diff(version(2, "author2"), got); err != nil || diff != "" {
		t.Errorf("version 2 (-want +got), %v:\n%s", err, diff)
	}
	heads, err := s.Versions(ctx)
	if err != nil || len(heads) != 3 || heads[2].Author != "author3" || heads[0].Hash != heads[1].Hash || len(heads[0].Hash) != 64 {
		t.Errorf("heads %+v, %v", heads, err)
	}
	if n, err := s.VersionNumber(ctx); err != nil || n != 3 {
		t.Errorf("number %d, %v", n, err)
	}
	if _, err := s.VersionAt(ctx, 9); !errors.Is(err, clickhouse.ErrNotFound) {
		t.Errorf("version 9: %v", err)
	}
	if err := s.AppendVersion(ctx, version(7, "x")); err == nil || errors.Is(err, clickhouse.ErrConflict) {
		t.Errorf("a version that leaves a gap: %v", err)
	}
}

func TestVersionsOfTwoWriters(t *testing.T) {
	s := newStore(t)
	for number := uint32(1); number <= 5; number++ {
		errs := make([]error, 3)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = s.AppendVersion(t.Context(), version(number, fmt.Sprint("writer", i))) })
		}
		all.Wait()
		stored, err := s.VersionAt(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		won := 0
		for i, err := range errs {
			var conflict *clickhouse.ConflictError
			switch {
			case err == nil:
				won++
				if stored.Author != fmt.Sprint("writer", i) {
					t.Errorf("version %d: writer%d was told yes, %s is stored", number, i, stored.Author)
				}
			case !errors.As(err, &conflict) || conflict.Author != stored.Author:
				t.Errorf("version %d: writer%d was told %v", number, i, err)
			}
		}
		if won != 1 {
			t.Errorf("version %d: %d winners", number, won)
		}
	}
}

func decision(kind string) clickhouse.Decision {
	return clickhouse.Decision{
		At: noon, Experiment: "e1", Iteration: 2, Guardrail: "errors", Arm: "t", Kind: kind, Verdict: "breached",
		Reason: "harm\nbeyond the margin", Actor: "guard", Look: "l1", Config: 4, Code: "v1",
		Evidence: json.RawMessage(`{"z": 1,  "a":[2]}`),
	}
}

func TestDecisionsMakeAChain(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	var want []clickhouse.Decision
	for i := range 4 {
		d, err := s.AppendDecision(ctx, decision(fmt.Sprint("kind", i)))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, d)
	}
	for i, d := range want {
		if d.Seq != uint64(i+1) || len(d.Hash) != 64 || (i > 0 && d.PrevHash != want[i-1].Hash) {
			t.Errorf("decision %d: seq %d, hashes %s ← %s", i, d.Seq, d.PrevHash, d.Hash)
		}
	}
	got, err := s.Decisions(ctx, clickhouse.DecisionFilter{})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("decisions (-want +got), %v:\n%s", err, diff)
	}
	got, err = s.Decisions(ctx, clickhouse.DecisionFilter{Experiment: "e1", After: 1, Limit: 2})
	if diff := cmp.Diff(want[2:], got); err != nil || diff != "" {
		t.Errorf("the newest two (-want +got), %v:\n%s", err, diff)
	}
	if got, err := s.Decisions(ctx, clickhouse.DecisionFilter{Experiment: "e2"}); err != nil || len(got) != 0 {
		t.Errorf("another experiment's: %d, %v", len(got), err)
	}
	if c, err := s.VerifyDecisions(ctx, want[2].Hash); err != nil || c != (clickhouse.DecisionChain{Decisions: 4, Head: want[3].Hash, Anchored: 3}) {
		t.Errorf("verified %+v, %v", c, err)
	}

	late := decision("late")
	late.Seq = 3
	var conflict *clickhouse.ConflictError
	if _, err := s.AppendDecision(ctx, late); !errors.As(err, &conflict) || conflict.Author != "guard" {
		t.Errorf("a number that is taken: %v", err)
	}
	late.Seq = 6
	if _, err := s.AppendDecision(ctx, late); err == nil || errors.Is(err, clickhouse.ErrConflict) {
		t.Errorf("a number that leaves a gap: %v", err)
	}
}

// Whoever gives the hash of the decision before need not be right about it: the server
// is asked then, and a decision is no later for somebody's having touched the log.
func TestDecisionAfterAHashThatIsKnown(t *testing.T) {
	s := newStore(t)
	first, err := s.AppendDecision(t.Context(), decision("first"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(seq uint64, after string) (clickhouse.Decision, error) {
		d := decision("next")
		d.Seq, d.PrevHash = seq, after
		return s.AppendDecision(t.Context(), d)
	}
	second, err := write(2, first.Hash)
	if err != nil || second.PrevHash != first.Hash {
		t.Fatalf("after the right one: %v", err)
	}
	third, err := write(3, first.Hash)
	if err != nil || third.PrevHash != second.Hash {
		t.Errorf("after a wrong one: %v, it carries %s", err, third.PrevHash)
	}
	if _, err := write(3, second.Hash); !errors.Is(err, clickhouse.ErrConflict) {
		t.Errorf("a number that is taken: %v", err)
	}
	if c, err := s.VerifyDecisions(t.Context(), third.Hash); err != nil || c.Anchored != 3 {
		t.Errorf("verified %+v, %v", c, err)
	}
}

func TestDecisionsOfTwoGuards(t *testing.T) {
	s := newStore(t)
	const rounds, guards = 4, 3
	var mu sync.Mutex
	won := map[uint64]int{}
	var all sync.WaitGroup
	for range guards {
		all.Go(func() {
			for seq := uint64(1); seq <= rounds; seq++ {
				d := decision("race")
				d.Seq = seq
				switch _, err := s.AppendDecision(t.Context(), d); {
				case err == nil:
					mu.Lock()
					won[seq]++
					mu.Unlock()
				case !errors.Is(err, clickhouse.ErrConflict):
					t.Errorf("decision %d: %v", seq, err)
				}
			}
		})
	}
	all.Wait()
	if diff := cmp.Diff(map[uint64]int{1: 1, 2: 1, 3: 1, 4: 1}, won); diff != "" {
		t.Errorf("winners by decision (-want +got):\n%s", diff)
	}
	if c, err := s.VerifyDecisions(t.Context(), ""); err != nil || c.Decisions != rounds {
		t.Errorf("verified %+v, %v", c, err)
	}
}

// The server refuses a decision that does not carry the hash of the last one.
func TestServerRefusesABrokenChain(t *testing.T) {
	s := newStore(t)
	if _, err := s.AppendDecision(t.Context(), decision("kill")); err != nil {
		t.Fatal(err)
	}
	conn := s.raw(t, s.engine.Writer())
	insert := func(seq, token string) error {
		return conn.Exec(withToken(t.Context(), token),
			"INSERT INTO decisions (seq, prev_hash, hash) VALUES ("+seq+", repeat('0', 64), repeat('1', 64))")
	}
	if err := insert("2", "d:2"); !violates(err, "append") {
		t.Errorf("another hash before: %v", err)
	}
	if err := insert("1", "d:1:r1"); !violates(err, "append") {
		t.Errorf("a number that is taken: %v", err)
	}
	if err := insert("2", "d:3"); !violates(err, "token") {
		t.Errorf("another token: %v", err)
	}
}
