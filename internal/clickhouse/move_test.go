package clickhouse_test

import (
	"context"
	"errors"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// TestMoveShard moves a shard there and back, stopping after every step once: the sums
// and the recount are as before, and while it is under way nobody gets an answer.
func TestMoveShard(t *testing.T) {
	many, one := newNodes(t, 2), newStore(t)
	specs := populate(t, one, 2)
	populate(t, many.store, 2)
	before, err := many.LastMark(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	stopped := 0
	for _, to := range []string{"a", "b", "a"} {
		for stop := 1; ; stop++ {
			ctx, cancel := context.WithCancel(t.Context())
			steps := 0
			err := many.admin.Move(ctx, 1, to, "tests", func(string) {
				if steps++; steps == stop && to == "a" && stopped < 8 {
					cancel()
				}
			})
			cancel()
			if err == nil {
				break
			}
			if stop > 20 || to != "a" {
				t.Fatalf("to %s: %v", to, err)
			}
			stopped++
			if stop > 1 {
				if m, err := many.Moments(t.Context(), specs); !errors.Is(err, clickhouse.ErrMoving) && stop < 8 {
					t.Fatalf("moments after step %d: %d cells, %v", stop-1, len(m.Cells), err)
				}
			}
			if stop > 2 && stop < 8 {
				if _, err := many.Heads(t.Context()); !errors.Is(err, clickhouse.ErrMoving) {
					t.Errorf("heads after step %d: %v", stop-1, err)
				}
			}
		}
		sameMoments(t, one.DB, many.DB, specs)
		v, err := many.Verify(t.Context(), clickhouse.VerifySpec{})
		if err != nil {
			t.Fatal(err)
		}
		report(t, v)
	}
	if stopped < 7 {
		t.Errorf("it was stopped %d times: this proved less than it should", stopped)
	}
	for _, query := range views {
		a := one.query(t, one.raw(t, one.engine.Writer()), query, nil, nil)
		b := many.query(t, many.raw(t, many.engine.Writer()), query, nil, nil)
		if diff := gocmp.Diff(a, b); diff != "" {
			t.Errorf("%s\none server (-) and two nodes (+):\n%s", query, diff)
		}
	}
	held, err := many.NodeShards(t.Context())
	if err != nil || len(held[0].Shards) != 2 || len(held[1].Shards) != 0 {
		t.Errorf("held: %v, %v", held, err)
	}
	after, err := many.LastMark(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(before, after); diff != "" {
		t.Errorf("the shard's last mark (-before +after):\n%s", diff)
	}
	mustAppend(t, many.DB, part(1, after.Seq+1)) // and it goes on there
}

// TestMoveRefuses what would lose or double something.
func TestMoveRefuses(t *testing.T) {
	many := newNodes(t, 2)
	populate(t, many.store, 2)
	for name, c := range map[string]struct {
		shard uint16
		to    string
	}{
		"to where it is": {0, "a"}, "a shard that nobody began": {7, "b"}, "to nowhere": {0, "c"},
	} {
		if err := many.admin.Move(t.Context(), c.shard, c.to, "tests", func(string) {}); err == nil {
			t.Errorf("%s: it was moved", name)
		}
	}
	if _, err := many.Heads(t.Context()); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}

// TestAdopt grows from one server to two: the shards that were there are the first
// node's, and results are as before.
func TestAdopt(t *testing.T) {
	many, one := nodes{Cluster: embeddedtest.NewCluster(t, 2)}, newStore(t)
	specs := populate(t, one, 2)
	many.store = store{engine: many.Engines[0], database: one.database + "_grows"}
	alone := many.open(t, many.engine.Addr(), many.engine.Admin())
	if err := alone.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	many.DB = many.open(t, many.engine.Addr(), many.engine.Writer())
	populate(t, many.store, 2)
	writer := many.DB // a consumer that nobody told

	many.admin = many.openAll(t, many.engine.Admin())
	if err := many.admin.Migrate(t.Context()); err == nil {
		t.Error("a server with data of its own became several without being asked to")
	}
	if err := many.admin.Adopt(t.Context(), "b"); err == nil {
		t.Error("another server took over what it does not have")
	}
	for range 2 { // doing it again changes nothing
		if err := many.admin.Adopt(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	many.DB = many.openAll(t, many.engine.Writer())
	mark, err := many.LastMark(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := writer.AppendPart(t.Context(), nil, part(0, mark.Seq+1)); err == nil {
		t.Errorf("a consumer that knows of no nodes: %v", got)
	}
	if err := many.admin.Move(t.Context(), 1, "b", "tests", func(string) {}); err != nil {
		t.Fatal(err)
	}
	sameMoments(t, one.DB, many.DB, specs)
	v, err := many.Verify(t.Context(), clickhouse.VerifySpec{})
	if err != nil {
		t.Fatal(err)
	}
	report(t, v)
}
