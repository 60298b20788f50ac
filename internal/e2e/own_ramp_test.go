package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// shop is a product that asks `assay serve` for the variant of everybody who comes, shows
// it, and logs the exposures of those who take part.
type shop struct {
	w          *world
	url        string
	experiment string
	random     func() float64
	harm       float64 // share of the treatment's units with an error; the control's is 0.3
	came       int
}

// evaluated is what a client of the protocol is told.
type evaluated struct {
	Variant  string
	Metadata struct {
		InExperiment bool
		Why          string
		Phase        int
	}
}

// of asks for one unit.
func (s *shop) of(unit string) (a evaluated) {
	s.w.t.Helper()
	body, err := json.Marshal(map[string]any{"context": map[string]string{"targetingKey": unit}})
	if err != nil {
		s.w.t.Fatal(err)
	}
	r, err := http.Post(s.url+"/ofrep/v1/evaluate/flags/"+s.experiment, "application/json", bytes.NewReader(body))
	if err != nil {
		s.w.t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || r.StatusCode != http.StatusOK {
		s.w.t.Fatalf("ask for %s: %s, %v", unit, r.Status, err)
	}
	return a
}

// open lets new units come, each of whom asks once.
func (s *shop) open(units int) {
	s.w.t.Helper()
	var out []*kgo.Record
	for range units {
		s.came++
		unit := fmt.Sprintf("guest-%d", s.came)
		a := s.of(unit)
		if !a.Metadata.InExperiment {
			continue
		}
		now, rate := time.Now().UnixMilli(), 0.3
		if a.Variant == "treatment" {
			rate = s.harm
		}
		out = append(out, record(exposures, unit, map[string]any{"type": "exposure", "ts": now, "unit": unit, "experiment": s.experiment, "variant": a.Variant}))
		if s.random() < rate {
			out = append(out, record(outcomes, unit, map[string]any{"type": "outcome", "ts": now + 1, "unit": unit, "event": "error"}))
		}
	}
	s.w.produce(out...)
}

// panel are the variants of those of many units who take part.
func (s *shop) panel() map[string]string {
	s.w.t.Helper()
	in := map[string]string{}
	for i := range 2000 {
		unit := fmt.Sprintf("panel-%d", i)
		if a := s.of(unit); a.Metadata.InExperiment {
			in[unit] = a.Variant
		}
	}
	return in
}

// moved are the units of one panel who are not in another one, or in another variant.
func moved(before, after map[string]string) (units []string) {
	for unit, variant := range before {
		if after[unit] != variant {
			units = append(units, fmt.Sprintf("%s: %s, then %q", unit, variant, after[unit]))
		}
	}
	slices.Sort(units)
	return units
}

// servesAt is the address that a process of `assay serve` answers at.
func servesAt(t *testing.T, p *process) (url string) {
	t.Helper()
	at := regexp.MustCompile(`msg=serving address=(\S+)`)
	await(t, patience, says("assay serve says where it listens"), func() bool {
		if found := at.FindStringSubmatch(p.err.String()); found != nil {
			url = "http://" + found[1]
		}
		return url != ""
	})
	return url
}

// TestOwnRampReverts is a ramp of what assay assigns itself, on the shipped binary and
// through the protocol that clients speak: 1 %, 10 %, 50 %, each when the guardrail is
// healthy; whoever takes part keeps the variant at every step; harm at the third, and
// nobody takes part any more, on two processes that answer.
func TestOwnRampReverts(t *testing.T) {
	if testing.Short() {
		t.Skip("a window, a minute's slot and the clock of the ledger have to pass three times")
	}
	t.Parallel()
	random, _ := chance(t)
	const key = "own-ramp"
	w := newWorld(t, setting{partitions: 2, more: "log: {level: info}\n"})
	w.ramped(key, "assignment: {system: assay}", "{traffic: 1%, units: 50}, {traffic: 10%, units: 50, settle: 1s}, {traffic: 50%, settle: 1s}", "revert")
	w.assay("apply")
	w.start("ingest")
	w.start("guard")
	serve, other := w.start("serve"), w.start("serve")
	s := &shop{w: w, url: servesAt(t, serve), experiment: key, random: random.Float64, harm: 0.3}
	beside := &shop{w: w, url: servesAt(t, other), experiment: key}
	within, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	sell := func(units int, begun int) {
		t.Helper()
		for tick := time.NewTicker(time.Second); times(w.story(key), "phase_begun") < begun; <-tick.C {
			if within.Err() != nil {
				t.Fatalf("not so in time; the decision log: %v", w.story(key))
			}
			s.open(units)
		}
	}
	// A process reads the configuration four times a second.
	panels := []map[string]string{s.panel()}
	seen := func(low, high int) {
		t.Helper()
		for _, each := range []*shop{s, beside} {
			var in map[string]string
			await(t, patience, func() string { return fmt.Sprintf("%d of 2000 take part, want %d to %d", len(in), low, high) }, func() bool {
				in = each.panel()
				return len(in) >= low && len(in) <= high
			})
			if units := moved(panels[len(panels)-1], in); high > 0 && len(units) > 0 {
				t.Errorf("a step moved %d units: %v", len(units), units)
			}
			if each == beside {
				panels = append(panels, in)
			}
		}
	}
	seen(5, 45) // 20 ± 4.4
	sell(3000, 1)
	seen(140, 260) // 200 ± 13
	sell(500, 2)
	seen(890, 1110) // 1000 ± 22
	s.harm = 0.9
	sell(200, 3)
	seen(0, 0)
	if a := s.of("panel-0"); a.Metadata.Why != "traffic" || a.Variant != "control" {
		t.Errorf("after the revert a client is told %+v", a)
	}
	move := func(kind string) []string {
		return []string{kind, "sending", "accepted", "verified", "phase_begun"}
	}
	want := slices.Concat(move("ramp_advance"), move("ramp_advance"), []string{"decided"}, move("ramp_revert"))
	if diff := cmp.Diff(want, w.story(key)); diff != "" {
		t.Errorf("the decision log (-want +got):\n%s", diff)
	}
	arms := map[string]int{}
	for _, variant := range panels[len(panels)-2] {
		arms[variant]++
	}
	t.Logf("of 2000 units at each step: %d, %d, %d, %d; at 50 %% by arm %v; %d guests", len(panels[1]), len(panels[2]), len(panels[3]), len(panels[4]), arms, s.came)
	w.assay("decision", "verify")
}
