package notify

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestSlackThread: docs.slack.dev/reference/methods/chat.postMessage: success
// has ok, channel, ts and message; a reply names the first message's ts.
func TestSlackThread(t *testing.T) {
	s := newService(t, always(200, `{"ok":true,"channel":"C1","ts":"1503435956.000247","message":{}}`))
	c, err := NewSlack(SlackConfig{URL: s.URL + "/api", Token: "xoxb-not-a-real-token", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	over, other := harmful(), harmful()
	over.Resolved, other.Key = true, "blind/checkout/1"
	for _, m := range []Message{harmful(), harmful(), other, over, harmful()} {
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	type sent struct {
		Channel, Text string
		Thread        string `json:"thread_ts"`
		Broadcast     bool   `json:"reply_broadcast"`
		Unfurl        *bool  `json:"unfurl_links"`
	}
	var got [5]sent
	for i := range got {
		c := s.sent(t, i, &got[i])
		if c.path != "/api/chat.postMessage" || c.header.Get("Authorization") != "Bearer xoxb-not-a-real-token" || got[i].Channel != "C1" {
			t.Errorf("call %d: %s %v %+v", i, c.path, c.header, got[i])
		}
	}
	const ts = "1503435956.000247"
	for i, want := range []struct {
		thread    string
		broadcast bool
	}{{"", false}, {ts, true}, {"", false}, {ts, false}, {"", false}} {
		if got[i].Thread != want.thread || got[i].Broadcast != want.broadcast {
			t.Errorf("message %d: thread %q broadcast %t, want %+v", i, got[i].Thread, got[i].Broadcast, want)
		}
	}
	if got[0].Unfurl == nil || *got[0].Unfurl {
		t.Error("links would be unfurled")
	}
	if !strings.HasPrefix(got[0].Text, "*PAGE* checkout") || !strings.HasPrefix(got[3].Text, "*RESOLVED* ") {
		t.Errorf("texts %q and %q", got[0].Text, got[3].Text)
	}
}

// TestSlackRefusals: an answer with ok: false has status 200; 429 has Retry-After
// (docs.slack.dev/apis/web-api/rate-limits).
func TestSlackRefusals(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   string
	}{
		{200, `{"ok":false,"error":"channel_not_found"}`, "final"},
		{200, `{"ok":false,"error":"invalid_auth"}`, "final"},
		{200, `{"ok":false,"error":"internal_error"}`, "again"},
		{200, `{"ok":false,"error":"rate_limited"}`, "again"},
		{200, `<html>a proxy</html>`, "again"},
		{429, ``, "again"},
	} {
		s := newService(t, always(test.status, test.body))
		s.header.Set("Retry-After", "30")
		c, err := NewSlack(SlackConfig{URL: s.URL, Token: "xoxb-not-a-real-token", Channel: "C1"})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Send(t.Context(), harmful())
		if got := failureKind(err); got != test.want {
			t.Errorf("%d %s: %q, want %q (%v)", test.status, test.body, got, test.want, err)
		}
		if test.status == 429 && failureOf(err).After != 30*time.Second {
			t.Errorf("asked to wait 30 s, waits %s", failureOf(err).After)
		}
	}
}

// TestSlackEscapes: nothing that an experiment's file says becomes a link, a
// mention or a command, and nothing is cut inside an escape.
func TestSlackEscapes(t *testing.T) {
	m := harmful()
	m.Title, m.Text = "<!channel> & <https://evil.example|here>", strings.Repeat("<&>", 2000)
	for range 60 {
		m.Facts = append(m.Facts, Fact{"note", strings.Repeat("&", 600)})
	}
	m.Links = []Link{{"a|b>", "https://x.example/?a=1&b=<2>|3"}}
	text := slackText(m.tidy())
	if utf8.RuneCountInString(text) > slackMost {
		t.Errorf("%d characters", utf8.RuneCountInString(text))
	}
	if !strings.Contains(text, "&lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;") {
		t.Errorf("not escaped: %.200s", text)
	}
	if got := strings.Count(text, "<"); got != 1 { // our own link
		t.Errorf("%d openings of markup, want 1: %s", got, text)
	}
	for rest := text; ; {
		i := strings.IndexByte(rest, '&')
		if i < 0 {
			break
		}
		rest = rest[i:]
		if !strings.HasPrefix(rest, "&amp;") && !strings.HasPrefix(rest, "&lt;") && !strings.HasPrefix(rest, "&gt;") {
			t.Fatalf("an escape was cut: %.20s", rest)
		}
		rest = rest[1:]
	}
}
