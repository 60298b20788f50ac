package outbound

import (
	"log/slog"
	"strings"
	"unicode"
)

// Secret is a text that must not be shown. It prints, logs and marshals as a
// placeholder; only a conversion gives the text.
type Secret string

const placeholder = "[secret]"

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return placeholder
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the text from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Hider takes secrets out of texts that somebody else wrote: an answer may echo
// what it was sent. The zero value hides nothing.
type Hider struct{ texts []string }

// Hide remembers a text, and the token of a "Bearer TOKEN". Very short ones would
// blank ordinary words.
func (h *Hider) Hide(s Secret) {
	for _, part := range append(strings.Fields(string(s)), string(s)) {
		if len(part) >= 8 {
			h.texts = append(h.texts, part)
		}
	}
}

// maxShown bounds what is shown of an answer, in bytes: refusals that name the missing
// permission do so after a page of identifiers.
const maxShown = 1000

// Show is the beginning of a text in one line, without secrets.
func (h Hider) Show(body []byte) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, string(body))
	for _, secret := range h.texts {
		text = strings.ReplaceAll(text, secret, placeholder)
	}
	text = strings.TrimSpace(text)
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}
