package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/terminal"
)

// TestExplainTable: a line for each event, and in colour what counts and what does not.
func TestExplainTable(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC).UnixMilli()
	steps := []app.Explained{
		{T: at, Type: ingest.Exposure, What: "cta control", Finding: string(ingest.FoundFirst), Why: "the unit's first exposure: phase 1, control"},
		{T: at + 1000, Type: ingest.Outcome, What: "purchase", Finding: string(ingest.FoundCounted), Why: "sales"},
		{T: at + 2000, Type: ingest.Exposure, What: "cta treatment", Finding: string(ingest.FoundCrossover), Why: "another variant in the same phase"},
		{T: at + 3000, Type: ingest.Outcome, What: "purchase", Finding: "not_yet_counted", Why: "it is stored; its batch is not in the ledger yet"},
	}
	golden.File(t, filepath.Join("testdata", "explain.txt"), []byte(explainTable(steps, terminal.Palette{})))
	golden.File(t, filepath.Join("testdata", "explain.ansi"), []byte(explainTable(steps, terminal.Palette{On: true})))
}

// TestVerifyText: what was recounted, what cannot be, and each difference by name.
func TestVerifyText(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	fine := clickhouse.Verification{
		Shards: []clickhouse.VerifiedShard{{Shard: 0, Seq: 17, Version: 2, WrittenAt: at, Events: 12034, Cells: 96}, {Shard: 1, Seq: 9, Version: 2, WrittenAt: at, Events: 811, Cells: 90}},
		Closed: []clickhouse.ClosedIteration{{Experiment: "old", Iteration: 1, Since: at}},
	}
	broken := fine
	broken.Chain = []clickhouse.BrokenChain{{Shard: 1, Problem: "part 4 is there twice"}}
	broken.Lacking = []clickhouse.LackingRows{{Shard: 0, Topic: "outcomes", From: 10, Next: 20, Seq: 3, Events: 2}}
	broken.Fates = []clickhouse.FateDifference{{Shard: 0, Topic: "outcomes", Fate: "accepted", Expected: 8, Found: 10}}
	golden.File(t, filepath.Join("testdata", "verify.txt"), []byte(strings.Join(verifyText(&fine), "\n")+"\n\n"+strings.Join(verifyText(&broken), "\n")+"\n"))
}

// TestPowerText is a plan for one look, for looking always and for dated looks.
func TestPowerText(t *testing.T) {
	q := planning.Question{Lift: .05, Power: .8, Looks: 5}
	c := planning.Comparison{Metric: "conversion", Arm: "treatment", Kind: "proportion", Binary: true, Mean: .04, Share: .5, Alpha: .05, Plan: 100_000, PerDay: 12_000, Basis: "what was given"}
	guarded := &experiment.Experiment{Guardrails: []experiment.Guardrail{{Metric: "conversion", Margin: .1, Relative: true}}}
	p := &report.Power{Experiment: "checkout-cta", Answers: []planning.Answer{planning.Plan(c, q)}, Guardrails: planning.HealthyAll(guarded, []planning.Comparison{c}, q.Power), Missing: []planning.Missing{{Metric: "latency", Why: "nothing is known of it"}}}
	var b strings.Builder
	if err := report.PowerText(&b, p); err != nil {
		t.Fatal(err)
	}
	golden.File(t, filepath.Join("testdata", "power.txt"), []byte(b.String()))
}

// TestReportFlags: which day is meant, and in which zone.
func TestReportFlags(t *testing.T) {
	now := time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC) // the 2nd in Berlin
	s := &app.Stack{}
	s.Config.Report.Timezone = "Europe/Berlin"
	for _, c := range []struct {
		flags      reportCmd
		zone, want string
	}{
		{reportCmd{}, "Europe/Berlin", "2026-03-02"},
		{reportCmd{Timezone: "UTC"}, "UTC", "2026-03-01"},
		{reportCmd{Day: "yesterday"}, "Europe/Berlin", "2026-03-01"},
		{reportCmd{Send: true}, "Europe/Berlin", "2026-03-01"},
		{reportCmd{Send: true, Day: "today"}, "Europe/Berlin", "2026-03-02"},
		{reportCmd{Day: "2026-02-28"}, "Europe/Berlin", "2026-02-28"},
		{reportCmd{Day: "24h"}, "", ""},
		{reportCmd{Timezone: "Atlantis"}, "", ""},
	} {
		o, date, err := c.flags.day(s, now)
		if c.want == "" {
			if err == nil {
				t.Errorf("%+v is %s", c.flags, date)
			}
			continue
		}
		if err != nil || date.String() != c.want || o.Zone.String() != c.zone {
			t.Errorf("%+v: %s in %s, %v; want %s in %s", c.flags, date, o.Zone, err, c.want, c.zone)
		}
	}
}

// TestKeysOfFiles: what completes experiments reads the files, and gives nothing where
// they are wrong.
func TestKeysOfFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("metrics/sales.yaml", "name: sales\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")
	for _, key := range []string{"new-search", "cta"} {
		write("experiments/"+key+".yaml", "key: "+key+"\nowner: growth\nvariants: {control: 50%, treatment: 50%}\ncontrol: control\nwindow: 7d\ngoals: [sales]\n")
	}
	env := &environment{globals: Globals{Experiments: filepath.Join(dir, "experiments"), Metrics: filepath.Join(dir, "metrics")}}
	if got := env.keys(); cmp.Diff([]string{"cta", "new-search"}, got) != "" {
		t.Errorf("%v", got)
	}
	write("experiments/bad.yaml", "key: [\n")
	if got := env.keys(); got != nil {
		t.Errorf("with a broken file: %v", got)
	}
}
