package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// answers is how the flag system takes an off call, and how the kill then ends.
var answers = map[string]struct {
	status int
	does   bool
	ends   string
}{
	"accepted": {http.StatusOK, true, "verified"},
	"denied":   {http.StatusForbidden, false, "denied"},
	"claimed":  {http.StatusOK, false, "failed"}, // says yes and stays on
	"broken":   {http.StatusInternalServerError, false, "failed"},
}

// TestKills lets four harmful experiments be killed at scale, of which one is
// turned off. Its evidence stays what it was, whatever comes later. The others go
// on: a kill that did not work ends nothing, and is not decided again.
func TestKills(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	system := newFlags(t, func(key string) (int, bool) { return answers[key].status, answers[key].does })
	w := newWorld(t, setting{partitions: 4, more: system.yaml("3s")})
	for key := range answers {
		w.guarded(key, "flags")
	}
	w.assay("apply")
	consumer, guard := w.start("ingest"), w.start("guard")
	v := &visits{key: slices.Sorted(maps.Keys(answers)), r: random.Float64}
	v.send(w, 8000**longFlag, 0)
	for key, a := range answers {
		await(t, 30*time.Second, says(key+" ends as "+a.ends), func() bool { return slices.Contains(w.story(key), a.ends) })
	}
	await(t, 30*time.Second, says("the iteration ends"), func() bool { return slices.Contains(w.story("accepted"), "iteration_ended") })
	before := w.evidence("accepted")
	if n := system.called("accepted"); n != 1 {
		t.Errorf("a call that was accepted was made %d times", n)
	}
	called := system.called("denied") + system.called("claimed") + system.called("broken")

	// Whatever comes now: units from before the kill that are late, new ones, and
	// old ones that are seen in the other variant.
	v.send(w, 1000, -2000)
	v.send(w, 1000, 0)
	v.again(w)
	w.judged(w.abreast(), len(answers))
	guard.stop()
	guard = w.start("guard") // another one, which knows only what is written
	v.send(w, 500, 0)
	w.judged(w.abreast(), len(answers))
	guard.stop()
	consumer.stop()

	if after := w.evidence("accepted"); after != before {
		t.Errorf("the evidence of the kill has changed:\n%s\n%s", before, after)
	}
	w.checkEnds()
	if n := system.called("denied") + system.called("claimed") + system.called("broken"); n != called {
		t.Errorf("after kills that did not work the flag system was called %d times more", n-called)
	}
	if cells := w.exact(); !contains(cells, "accepted iteration 1 phase 0 settling false treatment $after_end") {
		t.Error("nobody was counted after the end: this proved less than it should")
	}
}

// guarded writes the file of an experiment whose errors turn it off by a switch.
func (w *world) guarded(key, killSwitch string) {
	w.t.Helper()
	w.write("metrics/errors.yaml", "name: errors\nowner: tests\nkind: proportion\nevent: error\ndirection: decrease\n")
	w.write("experiments/"+key+".yaml", fmt.Sprintf(`key: %s
owner: tests
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
guardrails: [{metric: errors, margin: 0.02, mode: kill}]
kill_switch: %s
`, key, killSwitch))
}

// checkEnds sees which iterations have ended, and that the others are latched and
// still counted.
func (w *world) checkEnds() {
	w.t.Helper()
	for _, x := range w.config().Experiments {
		it, story := x.Iterations[0], w.story(x.Key)
		killed := len(it.Killed) > 0
		if want := answers[x.Key].does; killed != want {
			w.t.Errorf("%s: killed %v, want %v: %v", x.Key, killed, want, story)
		}
		if n := times(story, "decided"); n != 1 {
			w.t.Errorf("%s: decided %d times: %v", x.Key, n, story)
		}
		last := decode[look](w.t, ask[string](w, "SELECT argMax(document, (at, id)) FROM DB.looks WHERE kind = 'guard' AND experiment = ?", x.Key))
		if v := last.Verdicts[0]; v.Kind != "breached" || v.Reason != "latched" {
			w.t.Errorf("%s: the last verdict is %s, %s, want it breached and latched", x.Key, v.Kind, v.Reason)
		}
		if killed {
			sent := ask[string](w, "SELECT JSONExtractString(evidence, 'sent_at') FROM DB.decisions WHERE kind = 'verified' AND experiment = ?", x.Key)
			if at, err := time.Parse(time.RFC3339, sent); err != nil || !at.Equal(it.End) {
				w.t.Errorf("%s ended at %v, the accepted call was sent at %s (%v)", x.Key, it.End, sent, err)
			}
			continue
		}
		units := ask[int64](w, "SELECT sum(n) FROM DB.ledger WHERE metric = '$units' AND experiment = ?", x.Key)
		if seen := last.units(); seen != units || units < 8000 {
			w.t.Errorf("%s: the last look has %d units, the ledger %d", x.Key, seen, units)
		}
	}
}

func times(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

// story is the experiment's decision log.
func (w *world) story(key string) []string {
	return ask[[]string](w, "SELECT arrayMap(x -> x.2, arraySort(groupArray((seq, toString(kind))))) FROM DB.decisions WHERE experiment = ?", key)
}

// look is what these tests read of a look's document.
type look struct {
	Vector   map[string]uint64 `json:"vector"`
	Verdicts []struct {
		Kind   string `json:"verdict"`
		Reason string `json:"reason"`
	} `json:"verdicts"`
	Cells []struct {
		Phase     int    `json:"phase"`
		Settling  bool   `json:"settling"`
		Variant   string `json:"variant"`
		Metric    string `json:"metric"`
		Dimension string `json:"dimension"`
		Value     string `json:"value"`
		Open      struct {
			N       int64  `json:"n"`
			NonZero int64  `json:"nonzero"`
			Over    int64  `json:"over"`
			Sum     string `json:"sum"`
			Squares string `json:"sum_squares"`
		} `json:"open"`
	} `json:"cells"`
}

func (l look) units() (n int64) {
	for _, c := range l.Cells {
		if c.Metric == "$units" && c.Dimension == "" {
			n += c.Open.N
		}
	}
	return n
}

// evidence is everything that a kill rests on: the decision with its hash and the
// look that it names, whose sums must be those of the ledger at the parts that
// the look says it has read.
func (w *world) evidence(key string) string {
	w.t.Helper()
	decision := ask[string](w, "SELECT concat(toString(seq), ' ', look, ' ', toString(hash), ' ', toString(evidence)) FROM DB.decisions WHERE kind = 'decided' AND experiment = ?", key)
	id := strings.Fields(decision)[1]
	document := ask[string](w, "SELECT document FROM DB.looks WHERE id = ? ORDER BY decision DESC LIMIT 1", id)
	l := decode[look](w.t, document)
	var parts []string
	for shard, seq := range l.Vector {
		parts = append(parts, fmt.Sprintf("(shard = %s AND seq <= %d)", shard, seq))
	}
	for _, c := range l.Cells {
		got := ask[string](w, fmt.Sprintf(`SELECT concat(toString(sum(n)), ' ', toString(sum(nonzero)), ' ', toString(sum(over)), ' ', toString(sum(sy)), ' ', toString(sum(syy)))
			FROM DB.ledger WHERE experiment = ? AND phase = ? AND settling = ? AND variant = ? AND metric = ? AND dimension = ? AND value = ? AND (%s)`, strings.Join(parts, " OR ")),
			key, c.Phase, c.Settling, c.Variant, c.Metric, c.Dimension, c.Value)
		if want := fmt.Sprint(c.Open.N, " ", c.Open.NonZero, " ", c.Open.Over, " ", c.Open.Sum, " ", c.Open.Squares); got != want {
			w.t.Errorf("%s %s: the look says %s, the parts that it read %s", c.Metric, c.Variant, want, got)
		}
	}
	if l.units() < 300 {
		w.t.Errorf("the deciding look has %d units", l.units())
	}
	return decision + "\n" + document
}

// visits sends units to every experiment; the treatment doubles their errors, or worse.
type visits struct {
	key  []string
	r    func() float64
	harm float64 // share of the treatment's units with an error; 0: 0.2
	sent int
}

// send sends n new units to each experiment, at a time some milliseconds from now.
func (v *visits) send(w *world, n int, shift int64) {
	w.t.Helper()
	now := time.Now().UnixMilli() + shift
	var out []*kgo.Record
	for range n {
		v.sent++
		for _, key := range v.key {
			unit, variant, rate := fmt.Sprintf("%s.%d", key, v.sent), "control", 0.1
			if v.r() < 0.5 {
				variant, rate = "treatment", cmp.Or(v.harm, 0.2)
			}
			out = append(out, v.see(unit, key, variant, now))
			if v.r() < rate {
				out = append(out, record(outcomes, unit, map[string]any{"type": "outcome", "ts": now + 1, "unit": unit, "event": "error"}))
			}
		}
	}
	w.produce(out...)
}

// again shows a hundred old units of each experiment the other variant too,
// shortly after the first, and lets some of them fail late.
func (v *visits) again(w *world) {
	w.t.Helper()
	var out []*kgo.Record
	for _, r := range w.log[:100] {
		var e struct {
			TS                        int64
			Unit, Experiment, Variant string
		}
		if err := json.Unmarshal(r.Value, &e); err != nil {
			w.t.Fatal(err)
		}
		if e.Experiment == "" {
			continue
		}
		other := map[string]string{"control": "treatment", "treatment": "control"}[e.Variant]
		if v.r() < 0.5 {
			out = append(out, v.see(e.Unit, e.Experiment, other, e.TS+1))
		}
		out = append(out, record(outcomes, e.Unit, map[string]any{"type": "outcome", "ts": e.TS + 5, "unit": e.Unit, "event": "error"}))
	}
	w.produce(out...)
}

func (v *visits) see(unit, key, variant string, t int64) *kgo.Record {
	return record(exposures, unit, map[string]any{"type": "exposure", "ts": t, "unit": unit, "experiment": key, "variant": variant})
}
