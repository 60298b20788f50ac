package outbound_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/outbound"
)

// TestSign holds the signature against values made with
//
//	printf '%s' 'kill-1.1772366400.{"a":1}' | openssl dgst -sha256 -hmac KEY -binary | base64
func TestSign(t *testing.T) {
	tests := []struct {
		name   string
		secret outbound.Secret
		want   string
	}{
		{"plain text", "plain-secret", "v1,nzmK7l0RYZFEjCqTAWqsNSXl9aCAcH0rEeUiUFJlU2I="},
		{"base64 after whsec_", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "v1,7ynLh3rYaW8/R5hpVWY62t6WKQhYOpwP3BM7bZft03c="},
	}
	for _, tt := range tests {
		key, err := outbound.SigningKey(tt.secret)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		outbound.Sign(h, key, "kill-1", time.Unix(1772366400, 999), []byte(`{"a":1}`))
		want := http.Header{"Webhook-Id": {"kill-1"}, "Webhook-Timestamp": {"1772366400"}, "Webhook-Signature": {tt.want}}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSecretIsNotShown(t *testing.T) {
	s := outbound.Secret("swordfish-9")
	b, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %s %q %#v %s %v", s, s, s, s, b, s.LogValue())
	if strings.Contains(shown, "swordfish") {
		t.Errorf("shown: %s", shown)
	}
	var h outbound.Hider
	h.Hide("Bearer swordfish-9")
	if got, want := h.Show([]byte("no:\r\nswordfish-9 is not it\x00")), "no:  [secret] is not it"; got != want {
		t.Errorf("an answer shows as %q, want %q", got, want)
	}
	if got := h.Show([]byte(strings.Repeat("é", 3000))); len(got) < 900 || len(got) > 1010 {
		t.Errorf("%d bytes of an answer are shown", len(got))
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "soon": 0,
		"Sun, 01 Mar 2026 12:01:00 GMT": time.Minute, "Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		if got := outbound.RetryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("Retry-After %q: %s, want %s", text, got, want)
		}
	}
}
