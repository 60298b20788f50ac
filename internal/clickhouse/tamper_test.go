package clickhouse_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/internal/clickhouse"
)

const cutOrForged = "no decision has the given hash: the log lost its end, or was written anew; its %d decisions fit one another"

// tampers are what somebody with all rights can do to a log of five decisions, by SQL
// or by writing it anew, and what is said of it to whoever kept the hash of the last.
var tampers = map[string]struct {
	sql    string                                            // as an administrator, or
	anew   func([]clickhouse.Decision) []clickhouse.Decision // what the table holds then
	rows   func([]clickhouse.Decision) []clickhouse.Decision // the same as sql, to the pure function
	want   string
	hidden bool // without the hash nothing is seen
}{
	"a changed field": {
		sql:  "ALTER TABLE decisions UPDATE actor = 'nobody' WHERE seq = 2 SETTINGS mutations_sync = 2",
		rows: func(d []clickhouse.Decision) []clickhouse.Decision { d[1].Actor = "nobody"; return d },
		want: "decision 2 was changed after it was written",
	},
	"changed evidence": {
		sql: "ALTER TABLE decisions UPDATE evidence = replaceOne(evidence, '[2]', '[3]') WHERE seq = 4 SETTINGS mutations_sync = 2",
		rows: func(d []clickhouse.Decision) []clickhouse.Decision {
			d[3].Evidence = []byte(strings.Replace(string(d[3].Evidence), "[2]", "[3]", 1))
			return d
		},
		want: "decision 4 was changed after it was written",
	},
	"a removed row": {
		sql:  "ALTER TABLE decisions DELETE WHERE seq = 3 SETTINGS mutations_sync = 2",
		rows: func(d []clickhouse.Decision) []clickhouse.Decision { return slices.Delete(d, 2, 3) },
		want: "decision 4 follows decision 2: what was between them is gone",
	},
	"a row removed and the rest moved up": {
		anew: func(d []clickhouse.Decision) []clickhouse.Decision {
			d = slices.Delete(d, 2, 3)
			for i := range d {
				d[i].Seq = uint64(i + 1)
			}
			return d
		},
		want: "decision 3 does not carry the hash of decision 2",
	},
	"a row put in": {
		anew: func(d []clickhouse.Decision) []clickhouse.Decision { return slices.Insert(d, 3, d[2]) },
		want: "decision 3 is there twice",
	},
	"a row put in with hashes of its own": {
		anew: func(d []clickhouse.Decision) []clickhouse.Decision {
			forged := d[2]
			forged.Actor = "nobody"
			forged.Seal(d[1].Hash)
			return slices.Insert(d[:2:2], 2, append([]clickhouse.Decision{forged}, d[3:]...)...)
		},
		want: "decision 4 does not carry the hash of decision 3",
	},
	"another order": {
		anew: func(d []clickhouse.Decision) []clickhouse.Decision {
			d[1], d[2] = d[2], d[1]
			d[1].Seq, d[2].Seq = 2, 3
			return d
		},
		want: "decision 2 does not carry the hash of decision 1",
	},
	"an end cut off": {
		sql:    "ALTER TABLE decisions DELETE WHERE seq > 3 SETTINGS mutations_sync = 2",
		rows:   func(d []clickhouse.Decision) []clickhouse.Decision { return d[:3] },
		want:   fmt.Sprintf(cutOrForged, 3),
		hidden: true,
	},
	"everything cut off": {
		sql:    "TRUNCATE TABLE decisions",
		rows:   func([]clickhouse.Decision) []clickhouse.Decision { return nil },
		want:   fmt.Sprintf(cutOrForged, 0),
		hidden: true,
	},
	"a whole chain forged": {
		anew: func(d []clickhouse.Decision) []clickhouse.Decision {
			d[1].Actor = "nobody"
			for i := 1; i < len(d); i++ {
				d[i].Seal(d[i-1].Hash)
			}
			return d
		},
		want:   fmt.Sprintf(cutOrForged, 5),
		hidden: true,
	},
}

// sealed is a log of five decisions in memory.
func sealed() []clickhouse.Decision {
	var log []clickhouse.Decision
	previous := strings.Repeat("0", 64)
	for i := range 5 {
		d := decision("kill")
		d.Seq = uint64(i + 1)
		d.Seal(previous)
		previous = d.Hash
		log = append(log, d)
	}
	return log
}

func verifyRows(log []clickhouse.Decision, head string) (clickhouse.DecisionChain, error) {
	return clickhouse.VerifyChain(func(yield func(*clickhouse.Decision) bool) {
		for i := range log {
			if !yield(&log[i]) {
				return
			}
		}
	}, head)
}

// said checks what verification says with the hash of the last decision, and without.
func said(t *testing.T, want string, hidden bool, verify func(head string) (clickhouse.DecisionChain, error), head string) {
	t.Helper()
	if _, err := verify(head); err == nil || err.Error() != want {
		t.Errorf("with the hash: %v, want %s", err, want)
	} else if hidden != errors.Is(err, clickhouse.ErrNoSuchHead) {
		t.Errorf("%v is no word on the hash itself: %t", err, hidden)
	}
	switch _, err := verify(""); {
	case hidden && err != nil:
		t.Errorf("without the hash: %v, and nothing can be seen", err)
	case !hidden && (err == nil || err.Error() != want):
		t.Errorf("without the hash: %v, want %s", err, want)
	}
}

func TestVerifyChainFindsTampering(t *testing.T) {
	for name, c := range tampers {
		t.Run(name, func(t *testing.T) {
			log := sealed()
			head, change := log[4].Hash, c.anew
			if change == nil {
				change = c.rows
			}
			log = change(log)
			said(t, c.want, c.hidden, func(head string) (clickhouse.DecisionChain, error) { return verifyRows(log, head) }, head)
		})
	}
}

// TestEveryFieldIsHashed changes one field after the other.
func TestEveryFieldIsHashed(t *testing.T) {
	for name, change := range map[string]func(*clickhouse.Decision){
		"at": func(d *clickhouse.Decision) { d.At = d.At.Add(1e6) }, "experiment": func(d *clickhouse.Decision) { d.Experiment = "e2" },
		"iteration": func(d *clickhouse.Decision) { d.Iteration++ }, "guardrail": func(d *clickhouse.Decision) { d.Guardrail = "" },
		"arm": func(d *clickhouse.Decision) { d.Arm = "u" }, "kind": func(d *clickhouse.Decision) { d.Kind = "held" },
		"verdict": func(d *clickhouse.Decision) { d.Verdict = "healthy" }, "reason": func(d *clickhouse.Decision) { d.Reason += " " },
		"actor": func(d *clickhouse.Decision) { d.Actor = "ada" }, "look": func(d *clickhouse.Decision) { d.Look = "l2" },
		"config": func(d *clickhouse.Decision) { d.Config++ }, "code": func(d *clickhouse.Decision) { d.Code = "v2" },
		"evidence":           func(d *clickhouse.Decision) { d.Evidence = []byte(`{"z": 1, "a":[2]}`) },
		"a shifted border":   func(d *clickhouse.Decision) { d.Look, d.Code = d.Look+d.Code[:1], d.Code[1:] },
		"the hash":           func(d *clickhouse.Decision) { d.Hash = strings.Repeat("a", 64) },
		"evidence taken out": func(d *clickhouse.Decision) { d.Evidence = nil },
	} {
		log := sealed()
		change(&log[4])
		if _, err := verifyRows(log, ""); err == nil || err.Error() != "decision 5 was changed after it was written" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVerifyUpToTheHead: a fault after the head leaves what is before it proven, one
// before it does not.
func TestVerifyUpToTheHead(t *testing.T) {
	log := sealed()
	log[3].Actor = "nobody"
	c, err := verifyRows(log, log[2].Hash)
	if c.Anchored != 3 || err == nil || err.Error() != "decision 4 was changed after it was written; decisions 1 to 3, up to the given hash, are as they were" {
		t.Errorf("%+v, %v", c, err)
	}
	log = sealed()
	log[0].Actor = "nobody"
	if c, err := verifyRows(log, log[2].Hash); c.Anchored != 0 || err == nil || err.Error() != "decision 1 was changed after it was written" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestVerifyDecisionsFindsTampering does the same to a real table. The constraints,
// which keep everybody else from it, are out of the way.
func TestVerifyDecisionsFindsTampering(t *testing.T) {
	s := newStore(t)
	for range 5 {
		if _, err := s.AppendDecision(t.Context(), decision("kill")); err != nil {
			t.Fatal(err)
		}
	}
	log, err := s.Decisions(t.Context(), clickhouse.DecisionFilter{})
	if err != nil {
		t.Fatal(err)
	}
	head := log[4].Hash
	admin := s.raw(t, s.engine.Admin())
	for _, constraint := range []string{"token", "one_row", "append"} {
		mustExec(t, admin, "ALTER TABLE decisions DROP CONSTRAINT "+constraint)
	}
	for name, c := range tampers {
		t.Run(name, func(t *testing.T) {
			writeAnew(t, admin, log)
			if _, err := s.VerifyDecisions(t.Context(), head); err != nil {
				t.Fatalf("before anything was touched: %v", err)
			}
			if c.sql != "" {
				mustExec(t, admin, c.sql)
			} else {
				writeAnew(t, admin, c.anew(slices.Clone(log)))
			}
			said(t, c.want, c.hidden, func(head string) (clickhouse.DecisionChain, error) { return s.VerifyDecisions(t.Context(), head) }, head)
		})
	}
}

func mustExec(t *testing.T, conn native.Conn, sql string) {
	t.Helper()
	if err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// writeAnew replaces the whole table.
func writeAnew(t *testing.T, admin native.Conn, log []clickhouse.Decision) {
	t.Helper()
	mustExec(t, admin, "TRUNCATE TABLE decisions")
	ctx := driver.Context(t.Context(), driver.WithSettings(driver.Settings{"async_insert": 0, "deduplicate_insert": "disable"}))
	batch, err := admin.PrepareBatch(ctx, `INSERT INTO decisions
		(seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config, code, evidence, prev_hash, hash)`)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range log {
		if err := batch.Append(d.Seq, d.At, d.Experiment, d.Iteration, d.Guardrail, d.Arm, d.Kind, d.Verdict, d.Reason, d.Actor, d.Look,
			d.Config, d.Code, string(d.Evidence), d.PrevHash, d.Hash); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}
