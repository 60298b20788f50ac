package clickhouse_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/clickhouse"
)

var realms = flag.Int("realms", 2, "how many random worlds are verified")

// TestVerifyFindsNothing lets the joiner count random worlds and the SQL recount
// them: two programs that share no line must agree on every sum.
func TestVerifyFindsNothing(t *testing.T) {
	counters := map[string]bool{}
	for seed := range *realms {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newStore(t)
			for shard := range uint16(2) {
				w := newRealm(uint64(seed)<<8|uint64(shard), 1000)
				first(t, s, w)
				w.consume(t, s.DB, shard)
			}
			var v *clickhouse.Verification
			for range untilCompiled {
				var err error
				if v, err = s.Verify(t.Context(), clickhouse.VerifySpec{Slice: 800}); err != nil {
					t.Fatal(err)
				}
				report(t, v)
			}
			for _, sh := range v.Shards {
				if sh.Cells < 100 || sh.Events < 1000 {
					t.Errorf("only %d cells of %d events: this proved little", sh.Cells, sh.Events)
				}
			}
			for _, name := range s.query(t, s.raw(t, s.engine.Writer()), "SELECT DISTINCT metric FROM ledger WHERE startsWith(metric, '$')", nil, nil) {
				counters[name] = true
			}
		})
	}
	for _, name := range []string{"$units", "$crossover", "$excluded", "$assignment", "$consent", "$sample", "$moved", "$outside", "$after_end", "$unknown_variant", "$other_unit_kind", "$out_of_range", "$bad_attribute"} {
		if !counters[name] {
			t.Errorf("no world has %s: this proved less than it should", name)
		}
	}
}

// first applies the world's version as the next one of the store.
func first(t testing.TB, s store, w *realm) {
	t.Helper()
	last, err := s.VersionNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.version.Number = last + 1
	if err := s.AppendVersion(t.Context(), *w.version); err != nil {
		t.Fatal(err)
	}
}

// report fails the test with everything that was found.
func report(t testing.TB, v *clickhouse.Verification) {
	t.Helper()
	if v.Differences() > 0 {
		t.Errorf("%d differences:\n%s", v.Differences(), strings.Join(words(v), "\n"))
	}
}

// words are the findings, a line each.
func words(v *clickhouse.Verification) []string {
	var out []string
	for _, c := range v.Cells {
		out = append(out, fmt.Sprintf("cell %+v", c))
	}
	for _, f := range v.Fates {
		out = append(out, fmt.Sprintf("fate %+v", f))
	}
	for _, l := range v.Lacking {
		out = append(out, fmt.Sprintf("lacking %+v", l))
	}
	for _, c := range v.Clashes {
		out = append(out, fmt.Sprintf("clash %+v", c))
	}
	for _, r := range v.Reconciliation {
		out = append(out, fmt.Sprintf("reconciliation %+v", r))
	}
	for _, c := range v.Chain {
		out = append(out, fmt.Sprintf("chain %+v", c))
	}
	for _, p := range v.Projections {
		out = append(out, fmt.Sprintf("projection %+v", p))
	}
	return out[:min(len(out), 40)]
}
