package notify

import (
	"bytes"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
)

// compose is the mail: one part of plain text, quoted-printable, so that every
// server takes it as it is. All mails about a matter refer to one message id, by
// which mail programs thread them, after a restart too.
func (e *email) compose(m Message) []byte {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(e.from.Address, "@")
	thread := fmt.Sprintf("<%s@%s>", digest(m.Key), domain)
	e.head(&b, [][2]string{
		{"Subject", encoded("[assay] " + m.state() + " " + m.Title)},
		{"Date", e.now().UTC().Format(time.RFC1123Z)},
		{"Message-ID", fmt.Sprintf("<%s@%s>", m.id(), domain)},
		{"In-Reply-To", thread},
		{"References", thread},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	})
	quoted(&b, mailText(m))
	return b.Bytes()
}

// head writes the headers of a mail: those that all have, and its own.
func (e *email) head(b *bytes.Buffer, own [][2]string) {
	to := make([]string, len(e.to))
	for i, a := range e.to {
		to[i] = a.String()
	}
	all := slices.Concat([][2]string{{"From", e.from.String()}, {"To", strings.Join(to, ",\r\n ")}}, own,
		[][2]string{{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"}})
	for _, h := range all {
		fmt.Fprintf(b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
}

// encoded is a header's text. Encoded words are folded, since no line may have
// more than 998 bytes.
func encoded(text string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", text), "?= =?", "?=\r\n =?")
}

// mailText is the body.
func mailText(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\n\r\n%s\r\n\r\n", m.Title, m.Text)
	for _, f := range m.Facts {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	if len(m.Links) > 0 {
		b.WriteString("\r\n")
	}
	for _, l := range m.Links {
		fmt.Fprintf(&b, "%s: %s\r\n", l.Name, l.URL)
	}
	fmt.Fprintf(&b, "\r\n%s, since %s\r\n", m.Key, m.Since.Format(time.RFC3339))
	return b.String()
}
