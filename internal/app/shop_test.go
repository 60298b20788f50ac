package app

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"sync"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/watch"
)

// shop is everything that a guard works with, in memory: one experiment whose
// treatment makes four times as many errors as the control.
type shop struct {
	mu       sync.Mutex
	versions []experiment.Version
	entries  []guardrails.Entry
	looks    int
	refuse   guardrails.EntryKind // what the switch answers instead of turning off
}

func newShop() *shop {
	start := time.Now().UTC().Add(-time.Hour)
	e := experiment.Experiment{
		Key: "checkout", Owner: "shop team", UnitKind: "user", Control: "control",
		Links:    experiment.Links{Flag: "https://flags.example/checkout"},
		Variants: []experiment.Variant{{Key: "control", Share: .5}, {Key: "treatment", Share: .5}},
		Window:   experiment.Duration(time.Hour), Crossovers: experiment.Exclude, Alpha: .05, AlphaKill: .05, PlannedUnits: 10000,
		KillSwitch: "flags",
		Guardrails: []experiment.Guardrail{{Metric: "errors", Margin: .1, Relative: true, Mode: experiment.Kill, OnNoData: experiment.HoldOnNoData}},
		Iterations: []experiment.Iteration{{
			Number: 1, Start: start, EnrolUntil: start.Add(24 * time.Hour), End: start.Add(48 * time.Hour),
			Phases:    []experiment.Phase{{Number: 1, From: start, Shares: []float64{.5, .5}, Traffic: 1}},
			Metrics:   []experiment.Metric{{Name: "errors", Event: "error", Kind: experiment.Proportion, Direction: experiment.Decrease}},
			AlphaKill: .05, KillRules: 1, KillGuardrails: []string{"errors"},
		}},
	}
	return &shop{versions: []experiment.Version{{Number: 1, AppliedAt: start, Experiments: []experiment.Experiment{e}}}}
}

func (s *shop) VersionNumber(context.Context) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint32(len(s.versions)), nil
}

func (s *shop) VersionAt(_ context.Context, n uint32) (experiment.Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[n-1], nil
}

func (s *shop) AppendVersion(_ context.Context, v experiment.Version) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions = append(s.versions, v)
	return nil
}

func (s *shop) Statuses(context.Context) ([]results.ShardStatus, error) {
	now := time.Now()
	return []results.ShardStatus{{Seq: uint64(now.Unix()), Freshness: now, State: "ok", At: now}}, nil
}

func (s *shop) Moments(_ context.Context, queries []watch.Query) (results.Moments, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	m := results.Moments{Vector: map[uint16]uint64{0: uint64(now.Unix())}, Config: map[uint16]uint32{0: uint32(len(s.versions))}}
	for _, q := range queries {
		for variant, errors := range map[string]int64{"control": 250, "treatment": 1000} {
			for metric, nonZero := range map[string]int64{ingest.Units: 5000, "errors": errors} {
				sum := results.Sums{N: 5000, NonZero: nonZero, Sum: big.NewInt(nonZero), SumSquares: big.NewInt(nonZero)}
				m.Cells = append(m.Cells, results.Cell{Experiment: q.Experiment, Iteration: q.Iteration, Phase: 1, Variant: variant,
					Metric: metric, Newest: now, Open: sum, Matured: sum})
			}
		}
	}
	return m, nil
}

func (s *shop) Entries(_ context.Context, after uint64) ([]guardrails.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]guardrails.Entry(nil), s.entries[min(after, uint64(len(s.entries))):]...), nil
}

func (s *shop) Append(_ context.Context, e guardrails.Entry, _ string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Seq != uint64(len(s.entries))+1 {
		return "", guardrails.ErrTaken
	}
	e.Hash = "hash-" + strconv.FormatUint(e.Seq, 10)
	s.entries = append(s.entries, e)
	return e.Hash, nil
}

func (s *shop) NewID(time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	return fmt.Sprint("look-", s.looks)
}

func (s *shop) Store(context.Context, []*watch.Look) error { return nil }

func (s *shop) Recent(context.Context, string, uint32, time.Time) ([]*results.Document, error) {
	return nil, nil
}

func (s *shop) Keep(context.Context, string, uint64) error { return nil }

func (s *shop) Off(context.Context, watch.Order, func(guardrails.EntryKind, time.Time)) (watch.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != "" {
		return watch.Result{State: s.refuse, Detail: "403 Forbidden"}, nil
	}
	return watch.Result{State: guardrails.Verified, OffAt: time.Now(), Detail: "200 OK; the answer is req-7"}, nil
}

func (s *shop) IsOff(context.Context, watch.Order) (bool, error) { return true, nil }

func (s *shop) Drill(context.Context, watch.Order) (watch.Drill, error) {
	return watch.Drill{Reads: "on"}, nil
}

func (s *shop) parts(told watch.Notifier) watch.Parts {
	return watch.Parts{Versions: s, Ledger: s, Journal: s, Looks: s, Switch: s, Notifier: told}
}
