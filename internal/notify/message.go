package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Message is one thing that people are told. All messages about one matter have
// the same Key, Matter, Page and Subject, from the first to the one that resolves it.
type Message struct {
	Key      string // names the matter on every channel
	Matter   string // its kind: kill, guardrail, blind …
	Page     bool   // somebody should get up for it
	Subject  Subject
	Since    time.Time // when the matter began
	Resolved bool      // it is over
	Repeat   bool      // people may have been told: this process has begun since

	At    time.Time // of what is told
	Title string    // one line
	Text  string    // a sentence or two
	Facts []Fact
	Links []Link // the runbook first
}

// Subject says what the matter is about, as far as that applies.
type Subject struct {
	Experiment string
	Iteration  uint32
	Guardrail  string
	Arm        string
}

// Fact is one line of a message. The name has blanks and no other sign.
type Fact struct{ Name, Value string }

// Link is an address that people may follow.
type Link struct{ Name, URL string }

// The bounds that hold on every channel, in runes. They keep a message below the
// bounds of each channel; a channel with a tighter one has it in its own file.
const (
	maxTitle = 200
	maxText  = 1500
	maxValue = 500
	maxFacts = 40
	maxKey   = 200
)

// tidy makes a message safe to be sent anywhere: single lines, bounded lengths,
// links to the web only.
func (m Message) tidy() Message {
	m.Key, m.Title, m.Text = boundKey(m.Key), line(m.Title, maxTitle), line(m.Text, maxText)
	m.At, m.Since = m.At.UTC(), m.Since.UTC()
	facts := make([]Fact, 0, len(m.Facts))
	for _, f := range m.Facts[:min(len(m.Facts), maxFacts)] {
		if f.Value = line(f.Value, maxValue); f.Value != "" {
			facts = append(facts, f)
		}
	}
	links := make([]Link, 0, len(m.Links))
	for _, l := range m.Links {
		if u, err := url.Parse(l.URL); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(l.URL) <= maxText {
			links = append(links, Link{line(l.Name, maxTitle), u.String()})
		}
	}
	m.Facts, m.Links = facts, links
	return m
}

// id is the same whenever the same thing is told about the same matter, by this
// process or the next one.
func (m Message) id() string {
	return "msg_" + digest(m.Key, strconv.FormatInt(m.At.UnixMilli(), 10), m.Title, strconv.FormatBool(m.Resolved))
}

// severity is the word for how urgent the matter is, as in the alerts on metrics.
func (m Message) severity() string {
	if m.Page {
		return "page"
	}
	return "ticket"
}

// state is the word that leads a message for people.
func (m Message) state() string {
	word := "NOTE"
	if m.Page {
		word = "PAGE"
	}
	switch {
	case m.Resolved:
		return "RESOLVED"
	case m.Repeat:
		return word + " (again)"
	default:
		return word
	}
}

// line makes a text one line of at most so many runes. Nothing in it can end a
// header, turn the direction of writing, or hide.
func line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) && !unicode.Is(unicode.Zl, r) && !unicode.Is(unicode.Zp, r) && r != utf8.RuneError {
			return r
		}
		return ' '
	}, s)
	return cut(strings.TrimSpace(s), most)
}

// cut bounds a text in runes and shows that it did.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return string(runes[:most-1]) + "…"
}

// boundKey keeps keys apart from each other when it shortens them.
func boundKey(key string) string {
	key = line(key, 4*maxKey)
	if len(key) <= maxKey {
		return key
	}
	return strings.ToValidUTF8(key[:maxKey/2], "") + "…" + digest(key)
}

// digest is a short name of some texts.
func digest(texts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(h[:16])
}
