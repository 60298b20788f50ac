package notify

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// compose is the mail: one part of plain text, quoted-printable, so that every
// server takes it as it is. All mails about a matter refer to one message id, by
// which mail programs thread them, after a restart too.
func (e *email) compose(m Message) []byte {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(e.from.Address, "@")
	to := make([]string, len(e.to))
	for i, a := range e.to {
		to[i] = a.String()
	}
	thread := fmt.Sprintf("<%s@%s>", digest(m.Key), domain)
	for _, h := range [][2]string{
		{"From", e.from.String()},
		{"To", strings.Join(to, ",\r\n ")},
		{"Subject", encoded("[assay] " + m.state() + " " + m.Title)},
		{"Date", e.now().UTC().Format(time.RFC1123Z)},
		{"Message-ID", fmt.Sprintf("<%s@%s>", m.id(), domain)},
		{"In-Reply-To", thread},
		{"References", thread},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(mailText(m))) // into memory: cannot fail
	_ = w.Close()
	return b.Bytes()
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
