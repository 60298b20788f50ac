package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// verified is the JSON of `assay verify`.
type verified struct {
	Differences int `json:"differences"`
	Shards      []struct {
		Events uint64 `json:"events"`
		Cells  int    `json:"cells"`
	} `json:"shards"`
	Lacking []struct {
		Topic  string `json:"topic"`
		Shard  int32  `json:"shard"`
		From   int64  `json:"from"`
		Next   int64  `json:"next"`
		Events int64  `json:"events"`
		Dead   int64  `json:"dead"`
	} `json:"lacking"`
}

// TestRereadMends takes rows of events and dead letters away, lets verify name the
// ranges that lack, reads these again, and wants everything as it was; a second
// reading changes nothing.
func TestRereadMends(t *testing.T) {
	t.Parallel()
	_, seed := chance(t)
	w := newWorld(t, setting{partitions: 2, attributes: []string{"country", "ms"}, more: newFlags(t, obedient).yaml("5s")})
	now := time.Now().Truncate(time.Minute)
	w.measures()
	w.first(now)
	w.assay("apply", "--author", "tests")
	b := &babble{Rand: rand.New(rand.NewPCG(seed, 5)), units: 300, until: now.UnixMilli()}
	w.produce(b.batch(1500)...)
	w.assay("ingest", "--until-end")
	first := w.exact()

	for table, where := range map[string]string{"events": "offset % 7 = 3", "dead_letters": "offset % 3 = 1"} {
		if err := w.db.Exec(t.Context(), fmt.Sprintf("ALTER TABLE %s.%s DELETE WHERE %s SETTINGS mutations_sync = 1", w.database, table, where)); err != nil {
			t.Fatal(err)
		}
	}
	out, text, code := w.try("verify", "--json")
	if code != 1 {
		t.Fatalf("verify after the loss: exit code %d\n%s%s", code, out, text)
	}
	found := decode[verified](t, out)
	var events, dead int64
	for _, l := range found.Lacking {
		events, dead = events+l.Events, dead+l.Dead
	}
	if events < 50 || dead < 3 {
		t.Errorf("only %d events and %d dead letters lack: this proves little", events, dead)
	}
	parts := ask[uint64](w, "SELECT countIf(mark = 1) FROM DB.ledger")
	for range 2 {
		for _, l := range found.Lacking {
			w.assay("reread", "--topic", l.Topic, "--partition", fmt.Sprint(l.Shard), "--from", fmt.Sprint(l.From), "--to", fmt.Sprint(l.Next))
		}
		if diff := differences(first, w.exact()); diff != "" {
			t.Errorf("after reading again:\n%s", diff)
		}
	}
	if n := ask[uint64](w, "SELECT countIf(mark = 1) FROM DB.ledger"); n != parts {
		t.Errorf("the ledger has %d parts, before it had %d", n, parts)
	}
	_, text, code = w.try("reread", "--topic", outcomes, "--partition", "0", "--from", "0", "--to", "1000000")
	if code != 1 || !strings.Contains(text, "have been counted") {
		t.Errorf("a range that was not counted: exit code %d, %s", code, text)
	}
}
