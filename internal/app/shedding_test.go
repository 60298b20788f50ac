package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestGuardShedsByPlan: on a real ledger whose consumer is six minutes behind, two guards
// with a plan write one line and one version, which makes consumers keep half of the
// units and the iteration have another phase.
func TestGuardShedsByPlan(t *testing.T) {
	w := newLookWorld(t)
	w.Config.Shedding.Keep = []float64{.5}
	w.Config.Shedding.Lag, w.Config.Shedding.For = experiment.Duration(5*time.Minute), experiment.Duration(2*time.Second)
	within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ended := make(chan error, 2)
	guarding, stop := context.WithCancel(within)
	defer stop()
	for _, name := range []string{"one", "two"} {
		w.Config.Guard.Instance = name
		g, err := w.Guard(GuardOptions{})
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- g.Run(guarding) }()
	}
	var v experiment.Version
	var err error
	for tick := time.NewTicker(200 * time.Millisecond); len(v.Sheds) == 0; <-tick.C {
		now := time.Now().UTC()
		status := results.ShardStatus{Seq: w.seq, Freshness: now.Add(-6 * time.Minute), Config: 1, State: "ok", At: now}
		if err := w.DB.WriteStatus(within, []results.ShardStatus{status}); err != nil {
			t.Fatal(err)
		}
		if v, err = w.DB.Version(within); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if len(v.Sheds) != 1 || v.Sheds[0].Keep != .5 || v.Number != 2 || !strings.Contains(v.Reason, "without catching up") {
		t.Errorf("version %d, %q: %+v", v.Number, v.Reason, v.Sheds)
	}
	if it := v.Find("cta").Latest(); len(it.Phases) != 2 {
		t.Errorf("phases %+v", it.Phases)
	}
	rows, err := w.DB.Decisions(within, clickhouse.DecisionFilter{})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := entriesOf(rows)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if e.Kind == guardrails.LoadShed {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d lines: %+v", n, entries)
	}
}
