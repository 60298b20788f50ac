package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// forgetful is a broker with a log of buyers, the tables, and a consumer when it is asked.
type forgetful struct {
	*Stack
	t      *testing.T
	client *kgo.Client
	start  time.Time
}

func newForgetful(t *testing.T) *forgetful {
	t.Helper()
	broker := embeddedtest.Kafka(t, []string{"assay.exposures", "assay.outcomes", "assay.deadletters"}, 2)
	return newForgetfulAt(t, broker.Addr())
}

// newForgetfulAt reads from a broker that has the topics.
func newForgetfulAt(t *testing.T, addr string) *forgetful {
	t.Helper()
	s := newStack(t)
	database := s.Config.ClickHouse.Database
	s.Config = config.Default()
	s.Config.ClickHouse.Database, s.Config.Data = database, t.TempDir()
	s.Brokers = []string{addr}
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &forgetful{Stack: s, t: t, client: client, start: time.Now().UTC().Truncate(time.Second).Add(-time.Minute)}
	(&lookWorld{Stack: s, t: t, now: w.start}).apply("growth")
	return w
}

// buy sends an exposure and a purchase of each unit.
func (w *forgetful) buy(units ...string) {
	w.t.Helper()
	var records []*kgo.Record
	at := w.start.Add(time.Second).UnixMilli()
	for _, u := range units {
		records = append(records,
			&kgo.Record{Topic: "assay.exposures", Key: []byte(u), Value: fmt.Appendf(nil, `{"type":"exposure","ts":%d,"unit":%q,"experiment":"cta","variant":%q}`, at, u, arm(u))},
			&kgo.Record{Topic: "assay.outcomes", Key: []byte(u), Value: fmt.Appendf(nil, `{"type":"outcome","ts":%d,"unit":%q,"event":"buy"}`, at+1, u)})
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

func arm(unit string) string {
	if unit[len(unit)-1]%2 == 0 {
		return "control"
	}
	return "treatment"
}

// read lets a consumer count what is there.
func (w *forgetful) read() {
	w.t.Helper()
	c, err := w.Consumer(w.t.Context(), IngestOptions{UntilEnd: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// admin may do everything.
func (w *forgetful) admin() driver.Conn {
	w.t.Helper()
	admin := w.endpoints.Admin
	conn, err := driver.Open(&driver.Options{Addr: w.endpoints.ClickHouse,
		Auth: driver.Auth{Database: w.Config.ClickHouse.Database, Username: admin.Name, Password: admin.Password}})
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// sums are what the ledger says: n and buyers, by arm.
func (w *forgetful) sums() string {
	w.t.Helper()
	conn := w.admin()
	defer conn.Close()
	var text string
	err := conn.QueryRow(w.t.Context(), `SELECT arrayStringConcat(groupArray(x), ' ') FROM (SELECT concat(variant, ' ', toString(sum(n)), ' ', toString(sum(nonzero))) AS x
		FROM ledger WHERE mark = 0 AND metric = 'sales' GROUP BY variant ORDER BY variant)`).Scan(&text)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// bought is what sums must say of so many of each arm.
func bought(control, treatment int) string {
	return fmt.Sprintf("control %d %d treatment %d %d", control, control, treatment, treatment)
}

func (w *forgetful) want(when, sums string) {
	w.t.Helper()
	if got := w.sums(); got != sums {
		w.t.Errorf("%s: the sums are %s, want %s", when, got, sums)
	}
}

// exact verifies the ledger.
func (w *forgetful) exact(when string) {
	w.t.Helper()
	v, err := w.DB.Verify(w.t.Context(), clickhouse.VerifySpec{})
	if err != nil || v.Differences() > 0 {
		w.t.Errorf("%s: %v, %+v", when, err, v)
	}
}

func unitsUpTo(n int) (units []string) {
	for i := range n {
		units = append(units, fmt.Sprintf("u-%d", i))
	}
	return units
}

// One unit whose sums stay, many whose sums are taken back, with a crash at every step:
// nothing of them is left, verify is exact, and neither late records, nor a topic that is
// read anew from its beginning, nor a row that slips in brings them back.
//
// semantics: erased-suppressed erased-verify
func TestErase(t *testing.T) {
	for _, c := range []struct {
		policy            Policy
		units             int
		kept, afterReread string
	}{
		{Keep, 1, bought(20, 20), bought(20, 21)},
		{Retract, 12, bought(14, 14), bought(14, 15)},
	} {
		t.Run(string(c.policy), func(t *testing.T) {
			w := newForgetful(t)
			ctx := t.Context()
			w.buy(unitsUpTo(40)...)
			w.read()
			w.want("counted", bought(20, 20))
			run := ErasureRun{Now: time.Now}
			gone := unitsUpTo(c.units)
			asked, err := w.AskErasure(ctx, ErasureRequest{Units: append(gone, gone[0], "nobody"), UnitKind: "user", Policy: c.policy, Reason: "ticket 1", Actor: "dpo"}, time.Now)
			if err != nil || asked.Units != c.units+1 {
				t.Fatalf("%+v, %v", asked, err)
			}
			if _, err := w.Erase(ctx, run); err == nil || !strings.Contains(err.Error(), "does not know the request yet") {
				t.Fatalf("before any shard has adopted it: %v", err)
			}
			w.buy(gone...)
			w.read()
			w.want("adopted", c.kept)

			run.Wait = time.Minute
			steps := 0
			for crash := 1; ; crash++ {
				dying, die := context.WithCancel(ctx)
				steps = 0
				run.Tell = func(_ uint64, step string) {
					if steps++; steps == crash {
						t.Logf("dies when it is to %s", step)
						die()
					}
				}
				_, err := w.Erase(dying, run)
				die()
				if err == nil {
					break
				}
				if !errors.Is(err, context.Canceled) || crash > 10 {
					t.Fatalf("step %d: %v", crash, err)
				}
				if crash >= 4 {
					w.exact("died")
				}
			}
			if steps < 5 {
				t.Errorf("only %d steps were seen", steps)
			}
			all, err := w.Erasures(ctx)
			if err != nil || len(all) != 1 || all[0].Proof == nil {
				t.Fatalf("%+v, %v", all, err)
			}
			proof := all[0].Proof
			if n := uint64(c.units); proof.Places["assay.exposures"] != n || proof.Places["assay.outcomes"] != n || proof.Left["events"] != 0 || len(proof.Topics) != 2 {
				t.Errorf("proof %+v", proof)
			}
			w.want("erased", c.kept)
			w.exact("erased")

			// Late ones, and a healthy one; then a row that a frozen consumer writes.
			w.buy(append(gone, "late-1")...)
			w.read()
			w.want("read on", c.afterReread)
			key, err := UnitKey(w.Config)
			if err != nil {
				t.Fatal(err)
			}
			back := ingest.Event{Type: ingest.Outcome, Unit: key.Unit("user", gone[0]), UnitKind: "user", Name: "buy", T: w.start.UnixMilli(), KafkaT: w.start.UnixMilli()}
			if err := w.DB.AppendEvents(ctx, 0, []string{"assay.outcomes"}, []ingest.Event{back}, nil); err != nil {
				t.Fatal(err)
			}
			run.Tell = nil
			if done, err := w.Erase(ctx, run); err != nil || len(done) != 0 {
				t.Fatalf("%+v, %v", done, err)
			}
			w.exact("what came back is deleted again")

			// A ledger that begins at the first offset of both topics.
			for _, table := range []string{"ledger", "events", "dead_letters", "proven"} {
				w.exec(t, "TRUNCATE TABLE "+table)
			}
			w.read()
			w.want("read anew", bought(20-c.units/2-c.units%2, 21-c.units/2))
			w.exact("read anew")
			if left, err := w.DB.UnitsLeft(ctx, all[0].id); err != nil || left["events"] != 0 {
				t.Errorf("the units are back: %v, %v", left, err)
			}
		})
	}
}

// A backup of before an erasure does not bring a unit back: not into the database that
// knows of the erasure, and not into an empty one, which knows nothing of it.
//
// semantics: erased-suppressed
func TestRestoreAfterErasure(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		kept   string
	}{{Keep, bought(20, 20)}, {Retract, bought(19, 19)}} {
		t.Run(string(c.policy), func(t *testing.T) {
			w := newForgetful(t)
			ctx, database := t.Context(), w.Config.ClickHouse.Database
			w.Config.Backup.Folder, w.Config.Backup.To = t.TempDir(), "File('"+database+"-{name}')"
			run := ErasureRun{Now: time.Now, Wait: time.Minute}
			w.buy(unitsUpTo(40)...)
			w.read()
			made, err := w.Backup(ctx, "before", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			asked, err := w.AskErasure(ctx, ErasureRequest{Units: unitsUpTo(2), UnitKind: "user", Policy: c.policy, Reason: "ticket 1", Actor: "dpo"}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			explain := func(when, want string) {
				t.Helper()
				v, err := w.DB.Version(ctx)
				if err != nil {
					t.Fatal(err)
				}
				steps, err := w.Explain(ctx, &v, v.Find("cta"), "u-0")
				if err != nil || len(steps) == 0 || steps[0].Finding != ErasedUnit && steps[len(steps)-1].Finding != ErasedUnit {
					t.Fatalf("%s: %+v, %v", when, steps, err)
				}
				if why := steps[len(steps)-1].Why; !strings.Contains(why, want) {
					t.Errorf("%s: u-0 is explained by %q, want %q", when, why, want)
				}
			}
			explain("asked", "by the next assay erase run")
			w.read()
			if done, err := w.Erase(ctx, run); err != nil || len(done) != 1 || len(done[0].Proof.Backups) != 1 {
				t.Fatalf("%+v, %v", done, err)
			}
			explain("erased", "its rows are deleted")
			gone := func(when string, requests ...string) {
				t.Helper()
				left, err := w.DB.UnitsLeft(ctx, requests...)
				if err != nil || rowsIn(left) != 0 {
					t.Errorf("%s: %v are back, %v", when, left, err)
				}
				w.exact(when)
			}
			gone("erased", asked.id)

			restore := func() Reapplied {
				t.Helper()
				if _, err := w.Restore(ctx, made.Name, true, nil); err != nil {
					t.Fatal(err)
				}
				again, err := w.Reapply(ctx, time.Now)
				if err != nil {
					t.Fatal(err)
				}
				w.read()
				if _, err := w.Erase(ctx, run); err != nil {
					t.Fatal(err)
				}
				return again
			}
			if again := restore(); again.Hold != 1 || len(again.Again) != 0 {
				t.Errorf("%+v", again)
			}
			gone("restored", asked.id)
			w.want("restored", c.kept)

			// The server is lost.
			admin := w.admin()
			defer admin.Close()
			rows, err := admin.Query(ctx, "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name NOT LIKE 'goose%'")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var table string
				if err := rows.Scan(&table); err != nil {
					t.Fatal(err)
				}
				w.exec(t, "TRUNCATE TABLE "+table)
			}
			again := restore()
			if again.Hold != 1 || len(again.Again) != 1 || again.Again[0].Units != 2 || again.Again[0].Reason != "ticket 1" || again.Again[0].Policy != c.policy {
				t.Fatalf("%+v", again)
			}
			gone("restored into nothing", again.Again[0].id)
			w.want("restored into nothing", c.kept)
			explain("restored into nothing", "its rows are deleted")
			if more, err := w.Reapply(ctx, time.Now); err != nil || len(more.Again) != 0 || more.Hold != 1 {
				t.Errorf("a second time: %+v, %v", more, err)
			}
			// The units are lost, and not the request.
			w.exec(t, "TRUNCATE TABLE suppressed")
			if _, err := w.Reapply(ctx, time.Now); err != nil {
				t.Fatal(err)
			}
			if units, err := w.unitsOf(ctx, again.Again[0]); err != nil || len(units) != 2 {
				t.Errorf("%v, %v", units, err)
			}
		})
	}
}

// A request says what is wrong with it.
func TestErasureRequests(t *testing.T) {
	s := &Stack{}
	for _, c := range []struct {
		r    ErasureRequest
		want string
	}{
		{ErasureRequest{Policy: Keep, Hashes: []ingest.Unit{{Hi: 1}}}, "needs a reason"},
		{ErasureRequest{Policy: "forget", Reason: "r", Hashes: []ingest.Unit{{Hi: 1}}}, "keep or retract"},
		{ErasureRequest{Policy: Keep, Reason: "r"}, "no unit is named"},
		{ErasureRequest{Policy: Keep, Reason: "r", Hashes: manyHashes(maxErased + 1)}, "too many"},
	} {
		if _, err := s.erasedUnits(c.r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.r.Reason, err, c.want)
		}
	}
	if units, err := s.erasedUnits(ErasureRequest{Policy: Keep, Reason: "r", Hashes: manyHashes(maxErased)}); err != nil || len(units) != maxErased {
		t.Errorf("%d units, %v", len(units), err)
	}
	u, err := ParseUnitHash("0123456789abcdef0000000000000001")
	if err != nil || u != (ingest.Unit{Hi: 0x0123456789abcdef, Lo: 1}) {
		t.Errorf("%+v, %v", u, err)
	}
	for _, text := range []string{"", "0123", strings.Repeat("g", 32)} {
		if _, err := ParseUnitHash(text); err == nil {
			t.Errorf("%q is a hash", text)
		}
	}
}

func manyHashes(n int) (out []ingest.Unit) {
	for i := range n {
		out = append(out, ingest.Unit{Lo: uint64(i)})
	}
	return out
}
