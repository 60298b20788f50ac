package notify

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestTidy: whatever a message is made of, it is single lines of bounded length
// with links to the web.
func TestTidy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String()
		m := Message{Key: s.Draw(t, "key"), Title: s.Draw(t, "title"), Text: strings.Repeat(s.Draw(t, "text"), 200)}
		for range rapid.IntRange(0, 60).Draw(t, "facts") {
			m.Facts = append(m.Facts, Fact{"x", s.Draw(t, "fact")})
		}
		got := m.tidy()
		texts := []string{got.Key, got.Title, got.Text}
		for _, f := range got.Facts {
			texts = append(texts, f.Value)
		}
		for _, text := range texts {
			if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u202e' }) {
				t.Fatalf("not one plain line: %q", text)
			}
			if utf8.RuneCountInString(text) > maxText {
				t.Fatalf("%d runes", utf8.RuneCountInString(text))
			}
		}
		if len(got.Key) > 255 || len(got.Facts) > maxFacts {
			t.Fatalf("a key of %d bytes, %d facts", len(got.Key), len(got.Facts))
		}
	})
}

func TestLongKeysStayApart(t *testing.T) {
	long := strings.Repeat("k", 300)
	a, b := Message{Key: long + "1"}.tidy(), Message{Key: long + "2"}.tidy()
	if a.Key == b.Key || len(a.Key) > 255 || a.Key != (Message{Key: a.Key}).tidy().Key {
		t.Errorf("keys %q and %q", a.Key, b.Key)
	}
}

func TestLinksLeadToTheWeb(t *testing.T) {
	m := Message{Links: []Link{{"a", "javascript:alert(1)"}, {"b", "https://ok.example/x"}, {"c", "docs/guardrails.md"}, {"d", "http://"}}}
	if got := m.tidy().Links; len(got) != 1 || got[0].Name != "b" {
		t.Errorf("links %v", got)
	}
}

// TestID: the same words about the same matter have the same id, at whatever
// attempt; anything else has another.
func TestID(t *testing.T) {
	m := harmful()
	same := harmful()
	same.Repeat = true
	if m.id() != same.id() {
		t.Error("told again it has another id")
	}
	for name, change := range map[string]func(*Message){
		"key": func(m *Message) { m.Key += "x" }, "time": func(m *Message) { m.At = m.At.Add(time.Second) },
		"title": func(m *Message) { m.Title += "x" }, "end": func(m *Message) { m.Resolved = true },
	} {
		other := harmful()
		change(&other)
		if other.id() == m.id() {
			t.Errorf("another %s has the same id", name)
		}
	}
}

// TestState: whoever reads it a second time is told that it is one.
func TestState(t *testing.T) {
	for want, m := range map[string]Message{
		"PAGE": {Page: true}, "NOTE": {}, "PAGE (again)": {Page: true, Repeat: true}, "RESOLVED": {Page: true, Resolved: true, Repeat: true},
	} {
		if got := m.state(); got != want {
			t.Errorf("%+v begins with %q, want %q", m, got, want)
		}
	}
}
