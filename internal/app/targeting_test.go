package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/watch"
)

const assignedFile = `
key: cta
owner: growth
variants: {control: 40%, blue: 30%, red: 30%}
control: control
window: 10s
goals: [sales]
guardrails: [{metric: sales, margin: 0, mode: kill}]
assignment: {system: assay}
`

// applyAssigned puts an experiment in force that assay assigns.
func applyAssigned(t *testing.T, s *Stack) {
	t.Helper()
	set, problems := experiment.Parse([]experiment.File{
		{Name: "cta.yaml", Data: []byte(assignedFile)},
		{Name: "sales.yaml", Data: []byte("name: sales\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")},
	})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), set, "somebody", time.Now); err != nil {
		t.Fatal(err)
	}
}

func newTargeting(t *testing.T, store targetingStore) *Targeting {
	t.Helper()
	target, err := NewTargeting(store, prometheus.NewRegistry(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func refresh(t *testing.T, target *Targeting) {
	t.Helper()
	if err := target.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// whys counts why 300 units take no part; "" counts those that do, by variant.
func whys(target *Targeting) map[string]int {
	set, _ := target.Now()
	out := map[string]int{}
	for i := range 300 {
		p := set.Find("cta")
		d := p.Decide(fmt.Sprint("u-", i), nil)
		if d.In() {
			out[p.Experiment.Variants[d.Variant].Key]++
		} else {
			out[string(d.Why)]++
		}
	}
	return out
}

// TestKillOfOurOwn: a kill of what assay assigns is in force everywhere as soon as it is
// read, in the log before it is in the configuration; an arm's leaves the others where
// they were; the next iteration is on again.
func TestKillOfOurOwn(t *testing.T) {
	s := newStack(t)
	target := newTargeting(t, s.DB)
	refresh(t, target)
	if set, _ := target.Now(); set == nil || len(set.Plans) != 0 {
		t.Fatalf("before the first apply: %+v", set)
	}
	applyAssigned(t, s)
	refresh(t, target)
	_, changed := target.Now()
	before := whys(target)
	if before["control"] < 80 || before["blue"] < 50 || before["red"] < 50 || len(before) != 3 {
		t.Errorf("before: %v", before)
	}

	hand, err := s.Hand("ada")
	if err != nil {
		t.Fatal(err)
	}
	on := watch.Named{Experiment: "cta"}
	drill, err := hand.Drill(t.Context(), watch.Off{Named: on, Reason: "a try"})
	if err != nil || drill.Reads != "on" || drill.Trouble != "" {
		t.Errorf("drill %+v, %v", drill, err)
	}
	refresh(t, target)
	select {
	case <-changed:
		t.Error("a drill has changed something")
	default:
	}

	kill, err := hand.Kill(t.Context(), watch.Off{Named: on, Arm: "red", Reason: "it is ugly"})
	if err != nil || kill.State != guardrails.Verified || !kill.Ended {
		t.Fatalf("arm: %+v, %v", kill, err)
	}
	refresh(t, target)
	select {
	case <-changed:
	default:
		t.Error("nobody is told of a kill")
	}
	if got := whys(target); got["control"] != before["control"] || got["blue"] != before["blue"] || got["arm_off"] != before["red"] {
		t.Errorf("without the arm: %v, before %v", got, before)
	}

	kill, err = hand.Kill(t.Context(), watch.Off{Named: on, Reason: "it harms"})
	if err != nil || kill.State != guardrails.Verified || !kill.Ended {
		t.Fatalf("kill: %+v, %v", kill, err)
	}
	refresh(t, target)
	if got := whys(target); got["turned_off"] != 300 {
		t.Errorf("after the kill: %v", got)
	}
	if again := newTargeting(t, s.DB); again.Refresh(t.Context()) != nil || whys(again)["turned_off"] != 300 {
		t.Errorf("another process: %v", whys(again))
	}

	if _, err := hand.Resume(t.Context(), on, "mended", 0); err != nil {
		t.Fatal(err)
	}
	refresh(t, target)
	if got := whys(target); got["control"] != before["control"] || got["blue"] != before["blue"] || got["arm_off"] != before["red"] {
		t.Errorf("resumed: %v, before %v", got, before)
	}
}

// outage is a store that can be taken away.
type outage struct {
	targetingStore
	gone bool
}

var errGone = errors.New("connection refused")

func (o *outage) VersionNumber(ctx context.Context) (uint32, error) {
	if o.gone {
		return 0, errGone
	}
	return o.targetingStore.VersionNumber(ctx)
}

func (o *outage) Decisions(ctx context.Context, f clickhouse.DecisionFilter) ([]clickhouse.Decision, error) {
	if o.gone {
		return nil, errGone
	}
	return o.targetingStore.Decisions(ctx, f)
}

// memory is a store of one version and no decision.
type memory struct{ v experiment.Version }

func (m memory) VersionNumber(context.Context) (uint32, error) { return m.v.Number, nil }

func (m memory) VersionAt(context.Context, uint32) (experiment.Version, error) { return m.v, nil }

func (memory) Decisions(context.Context, clickhouse.DecisionFilter) ([]clickhouse.Decision, error) {
	return nil, nil
}

// TestTargetingOutlives: without a database answers go on from what was read last, and
// planned phases begin all the same.
func TestTargetingOutlives(t *testing.T) {
	start := time.Now().UTC().Truncate(time.Millisecond)
	e := experiment.Experiment{
		Key: "cta", UnitKind: "user", Control: "control", Assignment: &experiment.Assignment{System: experiment.Assay},
		Variants: []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "blue", Share: 0.5}},
		Iterations: []experiment.Iteration{{Number: 1, Start: start, End: start.AddDate(0, 1, 0), Phases: []experiment.Phase{
			{Number: 1, From: start, Shares: []float64{0.5, 0.5}}, {Number: 2, From: start.Add(time.Hour), Shares: []float64{0.5, 0.5}, Traffic: 1},
		}}},
	}
	store := &outage{targetingStore: memory{experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}}}}
	now := start
	registry := prometheus.NewRegistry()
	target, err := NewTargeting(store, registry, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	refresh(t, target)
	if got := whys(target); got["traffic"] != 300 {
		t.Errorf("at the start: %v", got)
	}
	store.gone, now = true, start.Add(time.Hour)
	if err := target.Refresh(t.Context()); !errors.Is(err, errGone) {
		t.Errorf("refreshed: %v", err)
	}
	if got := whys(target); got["control"]+got["blue"] != 300 {
		t.Errorf("an hour later: %v", got)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetMetric()[0].GetGauge().GetValue() != time.Hour.Seconds() {
		t.Errorf("age %v, %v", families, err)
	}
	store.gone = false
	refresh(t, target)
}

// TestOwnSwitchGone: a kill that cannot be read back is not called one.
func TestOwnSwitchGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	own := ownSwitch{&outage{targetingStore: memory{}, gone: true}}
	accepted := false
	r, err := own.Off(ctx, watch.Order{Experiment: "cta", Iteration: 1}, func(k guardrails.EntryKind, _ time.Time) {
		accepted = accepted || k == guardrails.Accepted
	})
	if err != nil || r.State != guardrails.Failed || accepted {
		t.Errorf("%+v, %v, accepted: %t", r, err, accepted)
	}
	if d, err := own.Drill(t.Context(), watch.Order{}); err != nil || d.Reads != "unknown" || d.Trouble == "" {
		t.Errorf("drill %+v, %v", d, err)
	}
}

// TestOwnSwitchName: nobody else's switch is called as ours.
func TestOwnSwitchName(t *testing.T) {
	s := &Stack{}
	t.Setenv("SECRET", "a long enough secret")
	s.Config.Switches = map[string]config.Switch{experiment.OwnSwitch: {Webhook: &config.Webhook{
		URL: "https://flags.example.com/off", Secret: config.Secret{Env: "SECRET"},
	}}}
	if _, err := s.allSwitches(); Hint(err) == "" {
		t.Errorf("a switch of that name: %v", err)
	}
	all := allSwitches{}
	if !all.OffersArm(experiment.OwnSwitch, "red") || all.OffersArm("flags", "red") {
		t.Error("our own turns off any arm, and no other does unless it says so")
	}
}

// TestTargetingKept: a process that starts without a database answers from what the one
// before has read, killed experiments included; what it reads then holds instead.
func TestTargetingKept(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	arms := []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "blue", Share: 0.5}}
	e := experiment.Experiment{
		Key: "cta", UnitKind: "user", Control: "control", Assignment: &experiment.Assignment{System: experiment.Assay}, Variants: arms,
		Iterations: []experiment.Iteration{{Number: 1, Start: now.Add(-time.Hour), End: now.AddDate(0, 1, 0), Phases: []experiment.Phase{{Number: 1, From: now.Add(-time.Hour), Shares: []float64{0.5, 0.5}, Traffic: 1}}}},
	}
	file := targetsFile{filepath.Join(t.TempDir(), "data", "assignment.json"), "clickhouse:9000/assay"}
	begin := func(store targetingStore, f targetsFile) *Targeting {
		t.Helper()
		target, err := NewTargeting(store, prometheus.NewRegistry(), func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		if err := target.KeepIn(f); err != nil {
			t.Fatal(err)
		}
		return target
	}
	store := &outage{targetingStore: memory{experiment.Version{Number: 1, Experiments: []experiment.Experiment{e}}}}
	first := begin(store, file)
	if first.Ready(t.Context()) == nil {
		t.Error("ready before anything was read")
	}
	first.off[assignment.Off{Experiment: "cta", Iteration: 1, Arm: "blue"}] = true
	refresh(t, first)
	want := whys(first)
	if want["arm_off"] == 0 || want["control"] == 0 {
		t.Fatalf("at first: %v", want)
	}

	store.gone = true
	second := begin(store, file)
	if err := second.Refresh(t.Context()); !errors.Is(err, errGone) {
		t.Errorf("refreshed: %v", err)
	}
	if got := whys(second); !maps.Equal(got, want) || second.Ready(t.Context()) != nil {
		t.Errorf("after a restart: %v, want %v, ready: %v", got, want, second.Ready(t.Context()))
	}
	if read := time.UnixMilli(second.read.Load()); !read.Equal(now) {
		t.Errorf("read at %s, want %s", read, now)
	}
	half := begin(&deaf{store.targetingStore}, file) // the version alone, without what was turned off
	if err := half.Refresh(t.Context()); !errors.Is(err, errGone) || !maps.Equal(whys(half), want) {
		t.Errorf("half read: %v, %v", whys(half), err)
	}
	if set, _ := begin(store, targetsFile{file.name, "elsewhere:9000/assay"}).Now(); set != nil {
		t.Error("it answers from what another database said")
	}
	store.gone = false
	refresh(t, second)
	if got := whys(second); got["control"]+got["blue"] != 300 {
		t.Errorf("read anew: %v", got)
	}

	if err := os.WriteFile(file.name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	third, err := NewTargeting(store, prometheus.NewRegistry(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := third.KeepIn(file); err == nil || !strings.Contains(err.Error(), file.name) {
		t.Errorf("a broken file: %v", err)
	}
	refresh(t, third)
	if kept, err := file.load(); err != nil || kept == nil {
		t.Errorf("the broken file was not replaced: %v, %v", kept, err)
	}
}

// deaf is a store whose decisions cannot be read.
type deaf struct{ targetingStore }

func (deaf) Decisions(context.Context, clickhouse.DecisionFilter) ([]clickhouse.Decision, error) {
	return nil, errGone
}
