package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	trials  = 100
	chunks  = 16
	members = 100 // new units of each experiment in a chunk
)

// TestFalseKills runs 100 experiments without an effect through the path, each
// with a guardrail that may kill at 5 %, and looks after every chunk. More than
// 11 kills have a chance of 1 % even if every experiment used its budget up. An
// experiment that does harm must be killed beside them.
//
// Nothing matures in the half minute that this takes, so the guard asks for the
// higher threshold of unfinished data. What holds later is simulated in stats.
// A guard that took a test for one look at every look would fail here.
func TestFalseKills(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	system := newFlags(t, obedient)
	w := newWorld(t, setting{partitions: 4, more: system.yaml("20s") + "guard: {kills_per_hour: 1000}\n"})
	keys := w.trials()
	w.assay("apply")
	consumer, guard := w.start("ingest"), w.start("guard")
	for range chunks {
		w.produce(crowd(random, keys)...)
		w.judged(w.abreast(), len(keys))
	}
	await(t, 30*time.Second, says("the harmful experiment is turned off"), func() bool { return !system.on("harmful") })
	guard.stop()
	consumer.stop()

	killed := 0
	for _, key := range keys {
		if key != "harmful" && system.called(key) > 0 {
			killed++
		}
	}
	t.Logf("%d of %d experiments without an effect were killed, with %d looks at least", killed, trials, w.looks())
	if killed > 11 {
		t.Errorf("%d of %d experiments without an effect were killed, at most 11 may be", killed, trials)
	}
	if n := w.looks(); n < chunks {
		t.Errorf("an experiment was looked at %d times, want %d", n, chunks)
	}
	w.decided(keys, system)
}

// trials writes the experiments and returns their keys.
func (w *world) trials() []string {
	w.write("metrics/errors.yaml", "name: errors\nowner: tests\nkind: proportion\nevent: error\ndirection: decrease\n")
	keys := []string{"harmful"}
	for i := range trials {
		keys = append(keys, fmt.Sprintf("aa-%02d", i))
	}
	for _, key := range keys {
		w.write("experiments/"+key+".yaml", fmt.Sprintf(`key: %s
owner: tests
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
planned_units: %d
alpha_kill: 5%%
guardrails: [{metric: errors, margin: 0, mode: kill}]
kill_switch: flags
`, key, chunks*members))
	}
	return keys
}

// crowd is a chunk: new units, one fifth of which meet an error whatever they
// see, except in the experiment that does harm.
func crowd(r *rand.Rand, keys []string) []*kgo.Record {
	var out []*kgo.Record
	now := time.Now().UnixMilli()
	for _, key := range keys {
		for range members {
			unit := fmt.Sprintf("%s.%x", key, r.Uint64())
			variant, rate := pick(r, "control", "treatment"), 0.2
			if key == "harmful" && variant == "treatment" {
				rate = 0.45
			}
			out = append(out, &kgo.Record{Topic: exposures, Key: []byte(unit),
				Value: fmt.Appendf(nil, `{"type":"exposure","ts":%d,"unit":%q,"experiment":%q,"variant":%q}`, now, unit, key, variant)})
			if r.Float64() < rate {
				out = append(out, &kgo.Record{Topic: outcomes, Key: []byte(unit),
					Value: fmt.Appendf(nil, `{"type":"outcome","ts":%d,"unit":%q,"event":"error"}`, now+1, unit)})
			}
		}
	}
	return out
}

// judged waits until every experiment has a look at these parts.
func (w *world) judged(vector map[uint16]uint64, experiments int) {
	w.t.Helper()
	var reached []string
	for shard, seq := range vector {
		reached = append(reached, fmt.Sprintf("v[%d] >= %d", shard, seq))
	}
	query := fmt.Sprintf(`SELECT countIf(%s) FROM (SELECT experiment, argMax(vector, (at, id)) AS v FROM DB.looks WHERE kind = 'guard' GROUP BY experiment)`,
		strings.Join(reached, " AND "))
	var n uint64
	await(w.t, time.Minute, func() string { return fmt.Sprintf("%d of %d experiments are judged up to %v", n, experiments, vector) }, func() bool {
		n = ask[uint64](w, query)
		return n >= uint64(experiments)
	})
}

// looks is the least number of different looks that an experiment had.
func (w *world) looks() uint64 {
	return ask[uint64](w, "SELECT min(n) FROM (SELECT uniqExact(vector) AS n FROM DB.looks WHERE kind = 'guard' GROUP BY experiment)")
}

// decided holds the decision log against the calls that the flag system got, and
// sees that every verdict was a judgement: an experiment that is blind or short
// of events is never killed, which would prove nothing.
func (w *world) decided(keys []string, system *flags) {
	w.t.Helper()
	for _, key := range keys {
		n := ask[uint64](w, "SELECT countIf(kind = 'verified') FROM DB.decisions WHERE experiment = ?", key)
		if off := !system.on(key); off != (n == 1) || off != (system.called(key) > 0) {
			w.t.Errorf("%s: off %v, called %d times, %d kills verified", key, off, system.called(key), n)
		}
		reason := ask[string](w, "SELECT argMax(JSONExtractString(document, 'verdicts', 1, 'reason'), (at, id)) FROM DB.looks WHERE kind = 'guard' AND experiment = ?", key)
		switch reason {
		case "undecided", "non_inferior", "harm", "latched", "srm":
		default:
			w.t.Errorf("%s: the last verdict is %q", key, reason)
		}
	}
	w.assay("decision", "verify")
}
