package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/outbound"
)

// call is what a fake was sent.
type call struct {
	method, path string
	header       http.Header
	body         []byte
}

// service is a fake that answers with what a vendor documents.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer func(call) (int, string)
	header http.Header
}

func newService(t *testing.T, answer func(call) (int, string)) *service {
	t.Helper()
	s := &service{answer: answer, header: http.Header{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c := call{r.Method, r.URL.Path, r.Header, body}
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
		status, text := s.answer(c)
		for name, v := range s.header {
			w.Header()[name] = v
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func always(status int, text string) func(call) (int, string) {
	return func(call) (int, string) { return status, text }
}

// sent decodes the n-th body.
func (s *service) sent(t *testing.T, n int, into any) call {
	t.Helper()
	if len(s.calls) <= n {
		t.Fatalf("%d calls, want more than %d", len(s.calls), n)
	}
	if err := json.Unmarshal(s.calls[n].body, into); err != nil {
		t.Fatalf("%v: %s", err, s.calls[n].body)
	}
	return s.calls[n]
}

// failureKind is "", "again" or "final".
func failureKind(err error) string {
	switch f := failureOf(err); {
	case err == nil:
		return ""
	case f.Final:
		return "final"
	default:
		return "again"
	}
}

// TestStatuses: what is tried again, how long the other side is left alone, and
// that a redirect is not followed.
func TestStatuses(t *testing.T) {
	for status, want := range map[int]string{
		200: "", 202: "", 204: "", 302: "final", 400: "final", 401: "final", 403: "final", 404: "final",
		408: "again", 410: "final", 425: "again", 429: "again", 500: "again", 503: "again",
	} {
		s := newService(t, always(status, ""))
		s.header.Set("Location", "http://127.0.0.1:1/")
		s.header.Set("Retry-After", "17")
		c, err := NewAlertmanager(AlertmanagerConfig{URL: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Send(t.Context(), harmful())
		if got := failureKind(err); got != want {
			t.Errorf("%d: %q, want %q (%v)", status, got, want, err)
		}
		if err != nil && failureOf(err).After != 17*time.Second {
			t.Errorf("%d: left alone for %s, 17 s were asked for", status, failureOf(err).After)
		}
	}
}

// TestNoSecretInErrors: neither the address' path and query nor what an answer
// echoes of the secrets.
func TestNoSecretInErrors(t *testing.T) {
	const secret = "s3cr3t-token-of-ours"
	s := newService(t, always(403, `{"error":"token `+secret+` is unknown"}`))
	channels := map[string]func(base string) (Channel, error){
		"alertmanager": func(base string) (Channel, error) {
			return NewAlertmanager(AlertmanagerConfig{URL: base, Headers: map[string]outbound.Secret{"Authorization": "Bearer " + secret}})
		},
		"slack": func(base string) (Channel, error) {
			return NewSlack(SlackConfig{URL: base, Token: secret, Channel: "C1"})
		},
		"pagerduty": func(base string) (Channel, error) {
			return NewPagerDuty(PagerDutyConfig{URL: base, RoutingKey: secret})
		},
		"webhook": func(base string) (Channel, error) {
			return NewWebhook(WebhookConfig{URL: base + "/hook/" + secret + "?k=" + secret, Secret: secret})
		},
	}
	for name, make := range channels {
		for _, base := range []string{s.URL, "http://127.0.0.1:1"} {
			c, err := make(base)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Send(t.Context(), harmful())
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s at %s: %v", name, base, err)
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"": "url is missing", "ftp://x/": "url must begin with https://", "https://": "have a host", "https://u:p@x/": "must not carry a password",
	} {
		_, err := NewAlertmanager(AlertmanagerConfig{URL: address})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

// TestBodyForAlertmanager: Alertmanager's API v2, openapi.yaml, postableAlerts. The
// labels of a matter are the same to its end. (A real one: TestAlertmanager in
// internal/app.)
func TestBodyForAlertmanager(t *testing.T) {
	s := newService(t, always(200, ""))
	c, err := NewAlertmanager(AlertmanagerConfig{URL: s.URL + "/prefix/"})
	if err != nil {
		t.Fatal(err)
	}
	m := harmful()
	over := m
	over.Resolved, over.At, over.Title, over.Facts = true, noon.Add(time.Hour), "checkout is off", nil
	for _, m := range []Message{m, over} {
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var first, second []struct {
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
	}
	got := s.sent(t, 0, &first)
	s.sent(t, 1, &second)
	if got.method != "POST" || got.path != "/prefix/api/v2/alerts" {
		t.Errorf("%s %s", got.method, got.path)
	}
	labels := map[string]string{
		"alertname": "AssayGuard", "key": "kill/checkout/1", "matter": "kill", "severity": "page",
		"experiment": "checkout", "iteration": "1", "guardrail": "errors", "arm": "treatment",
	}
	if diff := cmp.Diff(labels, first[0].Labels); diff != "" {
		t.Error("labels:", diff)
	}
	annotations := map[string]string{
		"summary": m.Title, "description": m.Text, "harm": "0.15, at least 0.12", "watermark": "0:17 1:16",
		"runbook_url": "https://runbooks.example/guardrails.md#harm",
	}
	if diff := cmp.Diff(annotations, first[0].Annotations); diff != "" {
		t.Error("annotations:", diff)
	}
	if diff := cmp.Diff(first[0].Labels, second[0].Labels); diff != "" {
		t.Error("the labels changed within the matter:", diff)
	}
	if !first[0].EndsAt.IsZero() || !first[0].StartsAt.Equal(noon) || !second[0].EndsAt.Equal(over.At) {
		t.Errorf("times: %+v, then %+v", first[0], second[0])
	}
}

// TestPagerDuty: developer.pagerduty.com/docs/events-api-v2/trigger-events and
// …/overview (answers: 202, 400, 429, 5xx).
func TestPagerDuty(t *testing.T) {
	s := newService(t, always(202, `{"status":"success","message":"Event processed","dedup_key":"k"}`))
	c, err := NewPagerDuty(PagerDutyConfig{URL: s.URL, RoutingKey: "R0123456789", Source: "guard@host"})
	if err != nil {
		t.Fatal(err)
	}
	m := harmful()
	m.Title, m.Key = strings.Repeat("ü", 3000), strings.Repeat("k", 3000)
	over := m
	over.Resolved = true
	for _, m := range []Message{m, over} {
		if err := c.Send(t.Context(), m.tidy()); err != nil {
			t.Fatal(err)
		}
	}
	var trigger, resolve struct {
		RoutingKey string `json:"routing_key"`
		Action     string `json:"event_action"`
		DedupKey   string `json:"dedup_key"`
		Payload    *struct {
			Summary, Source, Severity, Timestamp, Component, Class string
			CustomDetails                                          map[string]string `json:"custom_details"`
		}
		Links []struct{ Href, Text string }
	}
	if got := s.sent(t, 0, &trigger); got.path != "/v2/enqueue" {
		t.Errorf("path %s", got.path)
	}
	s.sent(t, 1, &resolve)
	if trigger.RoutingKey != "R0123456789" || trigger.Action != "trigger" || resolve.Action != "resolve" || resolve.Payload != nil {
		t.Errorf("%+v, then %+v", trigger, resolve)
	}
	if trigger.DedupKey != resolve.DedupKey || len(trigger.DedupKey) > 255 {
		t.Errorf("keys %q and %q", trigger.DedupKey, resolve.DedupKey)
	}
	p := trigger.Payload
	if len([]rune(p.Summary)) > 1024 || p.Severity != "critical" || p.Source != "guard@host" || p.Component != "checkout" || p.CustomDetails["harm"] == "" {
		t.Errorf("payload %+v", p)
	}
	if len(trigger.Links) != 1 || trigger.Links[0].Text != "runbook" {
		t.Errorf("links %+v", trigger.Links)
	}
}

// TestWebhook: Standard Webhooks 1.0. The id is that of what is told, whoever
// tells it and however often.
func TestWebhook(t *testing.T) {
	s := newService(t, always(204, ""))
	c, err := NewWebhook(WebhookConfig{URL: s.URL + "/hook", Secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", Headers: map[string]outbound.Secret{"X-Key": "abc"}})
	if err != nil {
		t.Fatal(err)
	}
	again := harmful()
	again.Repeat = true
	for _, m := range []Message{harmful(), again} {
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var body struct {
		Type string
		Data struct {
			Key, Severity, Status, Experiment string
			Facts, Links                      map[string]string
		}
	}
	got := s.sent(t, 0, &body)
	if body.Type != "guard.alert" || body.Data.Status != "firing" || body.Data.Key != "kill/checkout/1" || body.Data.Facts["watermark"] == "" || body.Data.Links["runbook"] == "" {
		t.Errorf("body %+v", body)
	}
	want := http.Header{}
	key, _ := outbound.SigningKey("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
	stamp, err := time.ParseDuration(got.header.Get("Webhook-Timestamp") + "s")
	if err != nil {
		t.Fatal(err)
	}
	outbound.Sign(want, key, got.header.Get("Webhook-Id"), time.Unix(int64(stamp.Seconds()), 0), got.body)
	if got.header.Get("Webhook-Signature") != want.Get("Webhook-Signature") || got.header.Get("X-Key") != "abc" {
		t.Errorf("headers %v", got.header)
	}
	if a, b := got.header.Get("Webhook-Id"), s.calls[1].header.Get("Webhook-Id"); a != b || a == "" {
		t.Errorf("ids %q and %q of the same words", a, b)
	}
	if _, err := NewWebhook(WebhookConfig{URL: s.URL}); err == nil {
		t.Error("a webhook without a secret was accepted")
	}
}

func TestFailureUnwraps(t *testing.T) {
	cause := errors.New("cause")
	if err := final(cause); !errors.Is(err, cause) || !failureOf(err).Final || failureOf(cause).Final {
		t.Errorf("%v", err)
	}
}

// TestNoWayToAMachinesOwnCredentials: no channel reaches an address at which clouds give
// credentials away.
func TestNoWayToAMachinesOwnCredentials(t *testing.T) {
	for _, address := range []string{"http://169.254.169.254/latest", "http://[fd00:ec2::254]/latest", "http://[::ffff:169.254.169.254]/"} {
		p, err := newPoster(address, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		p.client.Transport.(*http.Transport).Proxy = nil
		if _, err := p.post(t.Context(), []byte("{}"), nil); !errors.Is(err, outbound.ErrForbidden) {
			t.Errorf("%s: %v, want it refused", address, err)
		}
	}
	_, c := newMailServer(t, NoTLS, nil)
	c.Server = "169.254.169.254:25"
	e, err := NewEmail(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Send(t.Context(), Message{}); !errors.Is(err, outbound.ErrForbidden) {
		t.Errorf("mail: %v, want it refused", err)
	}
}
