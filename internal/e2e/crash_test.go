package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// catch is when a guard is killed, as its flag system sees it.
type catch string

const (
	looking   catch = "looking"   // decided: it asks for the state, before anything is sent
	calling   catch = "calling"   // sending: the off call has arrived and does nothing, as if it had been lost
	applied   catch = "applied"   // the off call has done its work and is not answered
	confirmed catch = "confirmed" // accepted: it asks for the state again, and hears nothing
)

// audited is a flag system that keeps an audit log of what changed, and in which a
// guard can be caught.
type audited struct {
	*httptest.Server
	mu      sync.Mutex
	off     map[string]bool
	audit   map[string][]string // key → the idempotency key of each change
	arrived map[string]int      // off calls
	asked   map[string]int      // for the state
	trap    map[string]catch    // where the next guard to come is held until it is dead
	caught  chan string
}

func newAudited(t *testing.T) *audited {
	a := &audited{off: map[string]bool{}, audit: map[string][]string{}, arrived: map[string]int{}, asked: map[string]int{},
		trap: map[string]catch{}, caught: make(chan string, 16)}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *audited) serve(w http.ResponseWriter, r *http.Request) {
	key := strings.Split(strings.Trim(r.URL.Path, "/"), "/")[0]
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server see a caller go
	if r.Method == http.MethodPost {
		a.count(a.arrived, key)
		if a.hold(r, key, calling) {
			return
		}
		a.turnOff(key, r.Header.Get("webhook-id"))
		a.hold(r, key, applied)
		return
	}
	a.count(a.asked, key)
	if a.hold(r, key, looking) || a.isOff(key) && a.hold(r, key, confirmed) {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]bool{"enabled": !a.isOff(key)})
}

// hold keeps a caller that came into the trap until it is dead. A trap holds once.
func (a *audited) hold(r *http.Request, key string, at catch) bool {
	a.mu.Lock()
	set := a.trap[key] == at
	if set {
		delete(a.trap, key)
	}
	a.mu.Unlock()
	if set {
		a.caught <- key
		<-r.Context().Done()
	}
	return set
}

func (a *audited) turnOff(key, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.off[key] {
		a.off[key] = true
		a.audit[key] = append(a.audit[key], id)
	}
}

func (a *audited) isOff(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.off[key]
}

func (a *audited) count(counter map[string]int, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	counter[key]++
}

func (a *audited) set(key string, at catch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trap[key] = at
}

// waitCaught waits until a guard is in the trap.
func (a *audited) waitCaught(t *testing.T, key string) {
	t.Helper()
	select {
	case got := <-a.caught:
		if got != key {
			t.Fatalf("a guard was caught at %s, want it at %s", got, key)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("no guard came to the trap of %s", key)
	}
}

// crashWorld has a harmful experiment for each key, a consumer, and two configurations
// for guards of different names.
func crashWorld(t *testing.T, keys ...string) (*world, *audited) {
	t.Helper()
	system := newAudited(t)
	switches := fmt.Sprintf(`switches:
  flags:
    timeout: 30s
    deadline: 60s
    webhook:
      url: %s/{experiment}/off
      secret: {env: ASSAY_E2E_SECRET}
      read_back: {url: "%s/{experiment}", path: enabled, off: "false"}
`, system.URL, system.URL)
	w := newWorld(t, setting{partitions: 2, more: switches + "guard: {instance: first}\n"})
	w.more = switches + "guard: {instance: second}\n"
	w.configureAs("second.yaml", w.engine.Writer(), "")
	w.write("metrics/errors.yaml", "name: errors\nowner: tests\nkind: proportion\nevent: error\ndirection: decrease\n")
	for _, key := range keys {
		w.write("experiments/"+key+".yaml", fmt.Sprintf(`key: %s
owner: tests
variants: {control: 50%%, treatment: 50%%}
control: control
window: 1h
guardrails: [{metric: errors, margin: 0.02, mode: kill}]
kill_switch: flags
`, key))
	}
	w.assay("apply")
	return w, system
}

// checkOnce wants one change in the flag system's audit log, by the decision's own
// key, every call that arrived in the decision log, and the kill carried to its end.
func (w *world) checkOnce(system *audited, key string) {
	w.t.Helper()
	await(w.t, time.Minute, func() string { return fmt.Sprintf("the kill of %s ends: %v", key, w.story(key)) }, func() bool {
		return slices.Contains(w.story(key), "iteration_ended")
	})
	story := w.story(key)
	for _, kind := range []string{"decided", "verified", "iteration_ended"} {
		if n := times(story, kind); n != 1 {
			w.t.Errorf("%s: %d times %s in %v", key, n, kind, story)
		}
	}
	id := ask[string](w, "SELECT JSONExtractString(evidence, 'key') FROM DB.decisions WHERE kind = 'decided' AND experiment = ?", key)
	system.mu.Lock()
	defer system.mu.Unlock()
	if !slices.Equal(system.audit[key], []string{id}) {
		w.t.Errorf("%s: the flag was changed by %v, want once, by %s", key, system.audit[key], id)
	}
	if calls, lines := system.arrived[key], times(story, "sending"); calls > lines {
		w.t.Errorf("%s: %d off calls arrived, and %d lines say so: %v", key, calls, lines, story)
	}
	for _, x := range w.config().Experiments {
		if x.Key == key && len(x.Iterations[0].Killed) == 0 {
			w.t.Errorf("%s: the iteration goes on", key)
		}
	}
}

// TestGuardKilledAtEveryStep kills the guard with kill -9 at every step of a kill, and
// starts it again. What has happened by then is in the log, the flag changes once, and
// nothing is forgotten.
func TestGuardKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	had := map[catch]string{looking: "decided", calling: "sending", applied: "sending", confirmed: "accepted"}
	keys := []string{string(looking), string(calling), string(applied), string(confirmed), "decided", "verified"}
	w, system := crashWorld(t, keys...)
	consumer := w.start("ingest")
	// The flag system sees these moments, and says when they have come.
	for at, wrote := range had {
		system.set(string(at), at)
		guard := w.start("guard")
		(&visits{key: []string{string(at)}, r: random.Float64}).send(w, 3000, 0)
		system.waitCaught(t, string(at))
		guard.kill()
		if story := w.story(string(at)); !slices.Contains(story, wrote) || slices.Contains(story, "verified") {
			t.Errorf("%s: when the guard died the log said %v", at, story)
		}
		guard = w.start("guard")
		w.checkOnce(system, string(at))
		guard.kill()
	}
	// Of these only the decision log tells: the guard dies as soon as the line is there.
	for _, kind := range []string{"decided", "verified"} {
		guard := w.start("guard")
		(&visits{key: []string{kind}, r: random.Float64}).send(w, 3000, 0)
		await(t, 30*time.Second, says(kind), func() bool { return slices.Contains(w.story(kind), kind) })
		guard.kill()
		t.Logf("killed when the log said %v", w.story(kind))
		guard = w.start("guard")
		w.checkOnce(system, kind)
		guard.stop()
	}
	consumer.stop()
	w.checkLog(len(keys))
}

// takeOver is what docs/guardrails.md promises, and a second for a busy machine.
const takeOver = 6 * time.Second

// TestTwoGuardsAtOnce: of two guards that see the same harm one acts. When it dies in
// the middle, the other one takes over.
func TestTwoGuardsAtOnce(t *testing.T) {
	t.Parallel()
	random, _ := chance(t)
	keys := []string{"both", "orphan"}
	w, system := crashWorld(t, keys...)
	consumer := w.start("ingest")
	guards := map[string]*process{"first": w.start("guard"), "second": w.start("--config", "second.yaml", "guard")}
	(&visits{key: []string{"both"}, r: random.Float64}).send(w, 3000, 0)
	w.checkOnce(system, "both")
	if story := w.story("both"); system.arrived["both"] != 1 || times(story, "sending") != 1 {
		t.Errorf("%d off calls by two guards: %v", system.arrived["both"], story)
	}
	if actors := w.actors("both"); len(actors) != 1 {
		t.Errorf("%v acted together", actors)
	}

	system.set("orphan", applied)
	(&visits{key: []string{"orphan"}, r: random.Float64}).send(w, 3000, 0)
	system.waitCaught(t, "orphan")
	actors := w.actors("orphan")
	if len(actors) != 1 {
		t.Fatalf("%v acted together", actors)
	}
	guards[actors[0]].kill()
	died := time.Now()
	await(t, 30*time.Second, says("another guard verifies the kill"), func() bool { return times(w.story("orphan"), "verified") > 0 })
	took := time.Since(died)
	t.Logf("another guard had verified the kill %v after the death", took.Round(10*time.Millisecond))
	if took > takeOver {
		t.Errorf("taking over took %v, at most %v is promised", took, takeOver)
	}
	w.checkOnce(system, "orphan")
	if both := w.actors("orphan"); len(both) != 2 {
		t.Errorf("%v carried the kill, want both, one after the other", both)
	}
	delete(guards, actors[0])
	for _, g := range guards {
		g.stop()
	}
	consumer.stop()
	w.checkLog(len(keys))
}

// actors are the guards that carried a kill, in the order of their names.
func (w *world) actors(key string) []string {
	return ask[[]string](w, "SELECT arraySort(groupUniqArray(actor)) FROM DB.decisions WHERE experiment = ? AND kind IN ('sending', 'accepted', 'verified')", key)
}

// checkLog holds the decision log against itself, against today's program, and against
// what was published of it.
func (w *world) checkLog(kills int) {
	w.t.Helper()
	lines := map[uint64]string{}
	for _, r := range w.published() {
		lines[r.Seq] = r.Hash
	}
	type row struct {
		Seq  uint64 `json:"seq"`
		Hash string `json:"hash"`
	}
	log := decode[struct {
		Head      row   `json:"head"`
		Decisions []row `json:"decisions"`
	}](w.t, w.assay("decision", "--json"))
	for _, d := range log.Decisions[:len(lines)] {
		if lines[d.Seq] != d.Hash {
			w.t.Errorf("decision %d has the hash %s, published was %q", d.Seq, d.Hash, lines[d.Seq])
		}
	}
	if log.Head != log.Decisions[len(log.Decisions)-1] || len(lines) < 3*kills {
		w.t.Errorf("the head is %+v of %d decisions, %d are published", log.Head, len(log.Decisions), len(lines))
	}
	w.assay("decision", "verify", "--head", lines[uint64(len(lines))])
	if _, _, code := w.try("decision", "verify", "--head", strings.Repeat("0", 64)); code != 1 {
		w.t.Errorf("a head that never was gives exit code %d", code)
	}
	again := decode[struct {
		Replayed  int               `json:"replayed"`
		Different []json.RawMessage `json:"different"`
	}](w.t, w.assay("decision", "replay", "--all", "--json"))
	if again.Replayed < kills || len(again.Different) > 0 {
		w.t.Errorf("%d decisions were decided again, %d otherwise", again.Replayed, len(again.Different))
	}
}

// published are the records of the topic of decisions, as far as it has come.
func (w *world) published() (out []struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}) {
	w.t.Helper()
	ends, err := w.admin.ListEndOffsets(w.t.Context(), "assay.decisions")
	if err != nil {
		w.t.Fatal(err)
	}
	end, _ := ends.Lookup("assay.decisions", 0)
	reader, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.ConsumeTopics("assay.decisions"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer reader.Close()
	for int64(len(out)) < end.Offset {
		fetches := reader.PollFetches(w.t.Context())
		for _, r := range fetches.Records() {
			out = append(out, decode[struct {
				Seq  uint64 `json:"seq"`
				Hash string `json:"hash"`
			}](w.t, string(r.Value)))
		}
	}
	return out
}
