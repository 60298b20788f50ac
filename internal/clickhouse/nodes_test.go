package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/results"
)

// nodes is a database whose shards are on the nodes a, b …; the first is home too.
type nodes struct {
	store
	*embeddedtest.Cluster
	admin *clickhouse.DB
}

func newNodes(t testing.TB, n int) nodes {
	t.Helper()
	c := nodes{Cluster: embeddedtest.NewCluster(t, n)}
	c.store = store{engine: c.Engines[0], database: embeddedtest.Database(t)}
	c.admin = c.openAll(t, c.engine.Admin())
	if err := c.admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.DB = c.openAll(t, c.engine.Writer())
	return c
}

// openAll opens home and its nodes as somebody.
func (c nodes) openAll(t testing.TB, user embedded.User) *clickhouse.DB {
	t.Helper()
	cfg := clickhouse.Config{
		Addr: []string{c.engine.Addr()}, Database: c.database, User: user.Name, Password: user.Password,
		Code: "test", Cluster: embeddedtest.ClusterName, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for i, e := range c.Engines {
		cfg.Nodes = append(cfg.Nodes, clickhouse.Node{Name: nodeName(i), Addr: []string{e.Addr()}})
	}
	db, err := clickhouse.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestNodeAwayIsUnavailable: who asks from outside is told in words without an address.
func TestNodeAwayIsUnavailable(t *testing.T) {
	err := fmt.Errorf("node b: %w: dial tcp 10.0.0.7:9000", clickhouse.ErrNodeAway)
	var gone interface{ Unavailable() string }
	if !errors.As(err, &gone) || gone.Unavailable() != "ClickHouse cannot answer in full now: a node does not answer" {
		t.Errorf("%v", gone)
	}
	if errors.Is(err, clickhouse.ErrMoving) || !errors.Is(err, clickhouse.ErrNodeAway) {
		t.Error("it is another error")
	}
}

func nodeName(i int) string { return string(rune('a' + i)) }

// populate writes the same random world to whoever is given it.
func populate(t testing.TB, s store, shards uint16) []clickhouse.MomentsSpec {
	t.Helper()
	var w *realm
	for shard := range shards {
		w = newRealm(7<<8|uint64(shard), 600)
		first(t, s, w)
		w.consume(t, s.DB, shard)
	}
	var specs []clickhouse.MomentsSpec
	for i := range w.version.Experiments {
		e := &w.version.Experiments[i]
		for _, it := range e.Iterations {
			specs = append(specs, clickhouse.MomentsSpec{Experiment: e.Key, Iteration: it.Number, Dimensions: true})
		}
	}
	return specs
}

// TestNodesEqualOneServer: what two nodes hold together is what one server would hold,
// for those who read the sums and for those who ask in SQL.
func TestNodesEqualOneServer(t *testing.T) {
	many, one := newNodes(t, 2), newStore(t)
	const shards = 3
	specs := populate(t, one, shards)
	populate(t, many.store, shards)

	held, err := many.NodeShards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []clickhouse.NodeShards{{Node: "a", Shards: []uint16{0, 2}}, {Node: "b", Shards: []uint16{1}}}
	if diff := gocmp.Diff(want, held); diff != "" {
		t.Fatalf("shards of the nodes (-want +got):\n%s", diff)
	}
	sameMoments(t, one.DB, many.DB, specs)
	for _, query := range views {
		a := one.query(t, one.raw(t, one.engine.Writer()), query, nil, nil)
		b := many.query(t, many.raw(t, many.engine.Writer()), query, nil, nil)
		if diff := gocmp.Diff(a, b); diff != "" || len(a) == 0 {
			t.Errorf("%s\none server (-) and two nodes (+), %d lines:\n%s", query, len(a), diff)
		}
	}
	v, err := many.Verify(t.Context(), clickhouse.VerifySpec{Slice: 400})
	if err != nil {
		t.Fatal(err)
	}
	report(t, v)
	if len(v.Shards) != shards {
		t.Errorf("%d shards were verified", len(v.Shards))
	}
}

// views are what people ask, and what reads all shards in one statement.
var views = []string{
	"SELECT * FROM moments ORDER BY ALL",
	"SELECT * FROM results ORDER BY ALL",
	"SELECT * FROM units ORDER BY ALL",
	"SELECT * FROM exposures ORDER BY topic, shard, offset",
	"SELECT * FROM outcomes ORDER BY topic, shard, offset",
	"SELECT * FROM unknown_experiments ORDER BY ALL",
	"SELECT * FROM id_conflicts ORDER BY ALL",
	"SELECT shard, seq, config FROM shards ORDER BY ALL",
}

func sameMoments(t *testing.T, one, many *clickhouse.DB, specs []clickhouse.MomentsSpec) {
	t.Helper()
	tally := many.NewTally()
	readers := map[string]func(context.Context, []clickhouse.MomentsSpec) (results.Moments, error){
		"whole": many.Moments, "tally": tally.Moments, "tally again": tally.Moments,
	}
	want, err := one.Moments(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	sortedCells(want.Cells)
	if len(want.Cells) < 100 {
		t.Fatalf("%d cells prove little", len(want.Cells))
	}
	for _, name := range slices.Sorted(maps.Keys(readers)) {
		got, err := readers[name](t.Context(), specs)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sortedCells(got.Cells)
		if diff := gocmp.Diff(want, got, bigs, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: one server (-) and the nodes (+) differ:\n%s", name, diff)
		}
	}
}

// TestNodeAway: without one of its nodes nothing that is asked of all shards has an
// answer, and what lies on the others goes on.
func TestNodeAway(t *testing.T) {
	many := newNodes(t, 2)
	specs := populate(t, many.store, 2)
	whole, err := many.Moments(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	tally := many.NewTally()
	if _, err := tally.Moments(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	many.Stop(t, 1)
	for name, ask := range map[string]func() error{
		"moments": func() error { _, err := many.Moments(t.Context(), specs); return err },
		"tally":   func() error { _, err := tally.Moments(t.Context(), specs); return err },
		"slots":   func() error { _, err := many.Slots(t.Context(), specs[0].Experiment, 1); return err },
		"heads":   func() error { _, err := many.Heads(t.Context()); return err },
	} {
		if err := ask(); !errors.Is(err, clickhouse.ErrNodeAway) {
			t.Errorf("%s without a node: %v", name, err)
		}
	}
	reader := many.raw(t, many.engine.Writer())
	var n uint64
	if err := reader.QueryRow(t.Context(), "SELECT count() FROM moments").Scan(&n); code(err) != 279 {
		t.Errorf("SQL without a node: %d rows, %v", n, err)
	}
	if away := many.AwayNodes(t.Context()); len(away) != 1 || away["b"] == nil {
		t.Errorf("away: %v", away)
	}
	if m, err := many.LastMark(t.Context(), 0); err != nil || m.Seq == 0 {
		t.Errorf("a shard of the other node: %+v, %v", m, err)
	}
	if faults, err := many.CheckChainOf(t.Context(), []uint16{0}); err != nil || len(faults) > 0 {
		t.Errorf("its chain: %v, %v", faults, err)
	}
	many.Start(t, 1)
	again, err := tally.Moments(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(whole.Vector, again.Vector); diff != "" {
		t.Errorf("after the node came back (-before +after):\n%s", diff)
	}
}

// TestNothingIsWrittenThroughHome: a consumer that knows nothing of nodes is refused.
func TestNothingIsWrittenThroughHome(t *testing.T) {
	many := newNodes(t, 2)
	alone := many.open(t, many.engine.Addr(), many.engine.Writer())
	if got, err := alone.AppendPart(t.Context(), nil, part(0, 1)); err == nil {
		t.Errorf("a part was written through the Distributed table: %v", got)
	}
}
