package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/realalertmanager"
	"github.com/assay-dev/assay/internal/watch"
)

// TestAlertmanager: a harmful experiment whose kill is refused, with a real
// Alertmanager. The alert is there, is sent on, stays although the guard is
// restarted and Alertmanager forgets what it hears no more of, and is over when the
// exposures stop: all of it one alert.
func TestAlertmanager(t *testing.T) {
	sentOn := newReceiver(t)
	server := realalertmanager.For(t, sentOn.URL)
	s := newShop()
	s.refuse = guardrails.Denied
	stop := s.guard(t, server.URL)
	denied := active(t, server, "checkout could NOT be turned off: denied")
	labels := map[string]string{"alertname": "AssayGuard", "key": "kill/checkout/1", "matter": "kill", "severity": "page", "experiment": "checkout", "iteration": "1"}
	if diff := cmp.Diff(labels, denied.Labels); diff != "" {
		t.Error("labels:", diff)
	}
	for name, want := range map[string]string{
		"guardrail": "errors in treatment, against control", "harm": "worse by 300.0 %, at least ", "margin": "10.0 %",
		"units": "treatment 5000, control 5000", "means": "treatment 0.2, control 0.05", "state": "denied", "look": "look-",
		"decision": "1 of the log, by guard", "log_head": "hash-", "watermark": "0:", "owner": "shop team", "what_to_do": "turn the flag off in its own system NOW",
		"runbook_url": "https://runbooks.example/guardrails#denied", "flag_url": "https://flags.example/checkout", "description": "403 Forbidden",
	} {
		if got := denied.Annotations[name]; !strings.Contains(got, want) {
			t.Errorf("annotation %s is %q, want %q in it", name, got, want)
		}
	}

	stop()
	stop = s.guard(t, server.URL) // what a restart finds in the log goes on
	outlasted := time.Now().Add(2 * realalertmanager.ResolveTimeout)
	eventually(t, "twice the time after which Alertmanager forgets", func() bool { return time.Now().After(outlasted) })
	again := active(t, server, "checkout could NOT be turned off: denied")
	if again.Fingerprint != denied.Fingerprint || !again.StartsAt.Equal(denied.StartsAt) {
		t.Errorf("after a restart it is another alert: %+v, was %+v", again, denied)
	}
	if got := sentOn.of("resolved"); len(got) > 0 {
		t.Errorf("it was taken for over: %+v", got)
	}

	s.mu.Lock()
	s.refuse = ""
	s.mu.Unlock()
	hand, err := watch.NewHand("ada", watch.Config{}, s.parts(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hand.Kill(t.Context(), watch.Off{Named: watch.Named{Experiment: "checkout"}, Reason: "it does harm"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the receiver hears that it is over", func() bool { return len(sentOn.of("resolved")) > 0 })
	stop()
	over := sentOn.of("resolved")[0]
	if over.Fingerprint != denied.Fingerprint || over.EndsAt.IsZero() || over.Annotations["summary"] != "checkout is off, and its exposures have stopped" {
		t.Errorf("the end was told as %+v", over)
	}
	if firing := sentOn.of("firing"); len(firing) == 0 || firing[0].Fingerprint != denied.Fingerprint || firing[0].Labels["severity"] != "page" {
		t.Errorf("sent on: %+v", firing)
	}
	left, err := server.Alerts(t.Context())
	if err != nil || len(left) != 0 {
		t.Errorf("still open: %+v, %v", left, err)
	}
}

// guard runs one until what it returns is called.
func (s *shop) guard(t *testing.T, alertmanager string) (stop func()) {
	t.Helper()
	n, err := newNotifier(config.Notify{Alertmanager: &config.Alertmanager{
		URL: alertmanager, Again: experiment.Duration(500 * time.Millisecond)}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := watch.New(watch.Config{Every: 100 * time.Millisecond, Settle: 300 * time.Millisecond},
		s.parts(messenger{n, "https://runbooks.example/guardrails"}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&Guard{watch: w, notifier: n}).Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// active waits for the one alert that is open to say something.
func active(t *testing.T, s *realalertmanager.Server, summary string) (found realalertmanager.Alert) {
	t.Helper()
	eventually(t, summary, func() bool {
		all, err := s.Alerts(t.Context())
		if err != nil || len(all) > 1 {
			t.Fatalf("open: %+v, %v", all, err)
		}
		if len(all) == 1 {
			found = all[0]
		}
		return found.Annotations["summary"] == summary
	})
	return found
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(30 * time.Second); !so(); {
		select {
		case <-timeout:
			t.Fatalf("not within 30 s: %s", what)
		case <-tick.C:
		}
	}
}

// receiver is what Alertmanager sends on to: prometheus.io/docs/alerting/latest/
// configuration/#webhook_config has the body, version "4".
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []sentAlert
}

type sentAlert struct {
	Status, Fingerprint string
	Labels, Annotations map[string]string
	EndsAt              time.Time
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		var body struct {
			Version string
			Alerts  []sentAlert
		}
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil || body.Version != "4" {
			t.Errorf("Alertmanager sent on %+v, %v", body, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, body.Alerts...)
	}))
	t.Cleanup(r.Close)
	return r
}

// of are the alerts with a status.
func (r *receiver) of(status string) (out []sentAlert) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.got {
		if a.Status == status {
			out = append(out, a)
		}
	}
	return out
}

// String is for failures.
func (a sentAlert) String() string { return fmt.Sprintf("%s %v %v", a.Status, a.Labels, a.Annotations) }
