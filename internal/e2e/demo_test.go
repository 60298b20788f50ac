package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// summary is the last line of `assay run --demo --json`, read strictly.
type summary struct {
	Experiments map[string]struct {
		Verdict string `json:"verdict"`
		SRM     string `json:"srm"`
		Kill    *struct {
			DecidedAt  *time.Time `json:"decided_at"`
			AppliedAt  *time.Time `json:"applied_at"`
			VerifiedAt *time.Time `json:"verified_at"`
		} `json:"kill"`
	} `json:"experiments"`
	Reconciliation struct {
		Difference *int64 `json:"difference"`
	} `json:"reconciliation"`
	Events uint64 `json:"events"`
}

// demo runs the demo to its end and reads its last line, what it told people, and
// when new-search's treatment was seen.
func demo(t *testing.T, most string, more ...string) (s summary, said string, seen []time.Time) {
	t.Helper()
	library := embeddedtest.Library(t)
	length, err := time.ParseDuration(most)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "assay.yaml"), fmt.Appendf(nil, "clickhouse: {library: %q}\n", library), 0o600); err != nil {
		t.Fatal(err)
	}
	p := begin(t, dir, &out, append([]string{"run", "--demo", "--for", most, "--json", "--data", dir + "/data"}, more...)...)
	p.wait(length + 45*time.Second)
	if p.code() != 0 {
		t.Fatalf("exit code %d\n%s", p.code(), tail(p.err.String()))
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := lines[len(lines)-1]
	t.Log(last)
	dec := json.NewDecoder(strings.NewReader(last))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		t.Fatalf("the last line of standard output: %v\n%s", err, last)
	}
	if !strings.Contains(last, `"kill":null`) || s.Reconciliation.Difference == nil || *s.Reconciliation.Difference != 0 || s.Events < 3000 {
		t.Errorf("the summary lacks something or does not add up: %s", last)
	}
	return s, p.err.String(), treated(t, filepath.Join(dir, "data", "demo", "kafka"))
}

// treated opens the log that a demo left and returns the times of all exposures
// to new-search's treatment, in order, and at last the time of the last exposure
// to anything.
func treated(t *testing.T, dir string) []time.Time {
	t.Helper()
	broker, err := embedded.StartKafka(t.Context(), embedded.KafkaConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = broker.Close() }()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.ConsumeTopics(exposures))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), exposures)
	if err != nil {
		t.Fatal(err)
	}
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	var seen []time.Time
	var last time.Time
	for left > 0 {
		for _, r := range client.PollFetches(t.Context()).Records() {
			left--
			var e struct {
				TS                  json.RawMessage
				Experiment, Variant string
			}
			if json.Unmarshal(r.Value, &e) != nil {
				continue
			}
			ms, _ := moment(e.TS)
			if at := time.UnixMilli(ms); e.Experiment == "new-search" && e.Variant == "treatment" {
				seen = append(seen, at)
			} else if at.After(last) {
				last = at
			}
		}
	}
	slices.SortFunc(seen, time.Time.Compare)
	return append(seen, last)
}

// TestDemo is what `make run` promises to show within a minute.
func TestDemo(t *testing.T) {
	t.Parallel()
	s, said, seen := demo(t, "60s")
	last, seen := seen[len(seen)-1], seen[:len(seen)-1]
	if len(s.Experiments) != 4 {
		t.Errorf("%d experiments", len(s.Experiments))
	}
	harmful, split, silent, winner := s.Experiments["new-search"], s.Experiments["price-badge"], s.Experiments["onboarding"], s.Experiments["checkout-button"]
	if k := harmful.Kill; harmful.Verdict != "breached" || k == nil || k.DecidedAt == nil || k.AppliedAt == nil || k.VerifiedAt == nil {
		t.Errorf("new-search: %+v: want it breached, killed and verified", harmful)
	} else if k.AppliedAt.Before(*k.DecidedAt) || k.VerifiedAt.Before(*k.AppliedAt) {
		t.Errorf("new-search: decided, applied and verified in the wrong order: %v, %v, %v", k.DecidedAt, k.AppliedAt, k.VerifiedAt)
	} else if newest := seen[len(seen)-1]; newest.After(k.AppliedAt.Add(8*time.Second)) || last.Before(k.VerifiedAt.Add(-time.Second)) {
		t.Errorf("new-search was off at %v, its treatment was seen at %v, and anything at %v", k.AppliedAt, newest, last)
	}
	if split.SRM != "alarm" || split.Kill != nil {
		t.Errorf("price-badge: %+v: want its split alarmed and it running", split)
	}
	if silent.Verdict != "blind" || silent.Kill != nil {
		t.Errorf("onboarding: %+v: want it blind and running", silent)
	}
	if winner.Verdict == "blind" || winner.Verdict == "breached" || winner.Verdict == "error" || winner.SRM != "ok" || winner.Kill != nil {
		t.Errorf("checkout-button: %+v: want it judged and running", winner)
	}
	for _, must := range []string{"new-search", "report:", "/metrics", "127.0.0.1"} {
		if !strings.Contains(said, must) {
			t.Errorf("what the demo shows has no %q", must)
		}
	}
}

// TestDemoWithoutGuard shows that the demo's world knows nothing of guardrails:
// nobody stops the harm.
func TestDemoWithoutGuard(t *testing.T) {
	t.Parallel()
	s, _, seen := demo(t, "25s", "--no-guard")
	for key, x := range s.Experiments {
		if x.Kill != nil {
			t.Errorf("%s was killed: %+v", key, x.Kill)
		}
	}
	newest, last := seen[len(seen)-2], seen[len(seen)-1]
	if len(seen) < 500 || last.Sub(newest) > 2*time.Second {
		t.Errorf("%d exposures to the harmful treatment, the last at %v, when anything was last seen at %v", len(seen)-1, newest, last)
	}
}
