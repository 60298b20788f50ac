package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"time"
)

// Letter is a report for people: its summary goes into a chat, the whole by mail.
// Unlike a Message it is about no matter that goes on, and nobody queues it here: who
// writes letters knows which have been sent.
type Letter struct {
	Key   string // names it: sent again it has the same
	At    time.Time
	Title string
	Lines []string // the summary
	Text  string   // the whole, plain
	HTML  string   // the whole, as simple as mail programs need it
	File  *File    // what is attached, if anything
	Link  Link     // where there is more; the zero value: nowhere
}

// File is an attachment.
type File struct {
	Name, Type string
	Content    []byte
}

// Correspondent is a channel that takes letters.
type Correspondent interface {
	// Deliver makes one attempt and returns within the context. An error that is a
	// *Failure and Partial has reached somebody.
	Deliver(ctx context.Context, l Letter) error
}

// Deliver implements Correspondent.
func (e *email) Deliver(ctx context.Context, l Letter) error { return e.send(ctx, e.letter(l)) }

// letter is the mail: text and HTML as alternatives, and what is attached. The same
// letter is the same mail to the byte, with one message id, so that a mail program that
// gets it twice can tell.
func (e *email) letter(l Letter) []byte {
	_, domain, _ := strings.Cut(e.from.Address, "@")
	name := digest("letter", l.Key)
	mixed, either := "mixed-"+name, "either-"+name
	var b bytes.Buffer
	e.head(&b, [][2]string{
		{"Subject", encoded(line(l.Title, maxTitle))},
		{"Date", l.At.UTC().Format(time.RFC1123Z)},
		{"Message-ID", fmt.Sprintf("<%s@%s>", name, domain)},
		{"Content-Type", fmt.Sprintf("multipart/mixed; boundary=%q", mixed)},
	})
	fmt.Fprintf(&b, "--%s\r\nContent-Type: multipart/alternative; boundary=%q\r\n\r\n", mixed, either)
	for _, part := range [][2]string{{"text/plain", l.Text}, {"text/html", l.HTML}} {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", either, part[0])
		quoted(&b, part[1])
		b.WriteString("\r\n")
	}
	fmt.Fprintf(&b, "--%s--\r\n", either)
	if f := l.File; f != nil {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: %s\r\nContent-Disposition: attachment; filename=%q\r\nContent-Transfer-Encoding: base64\r\n\r\n", mixed, f.Type, f.Name)
		lined(&b, f.Content)
	}
	fmt.Fprintf(&b, "--%s--\r\n", mixed)
	return b.Bytes()
}

// quoted writes a text as quoted-printable.
func quoted(b *bytes.Buffer, text string) {
	w := quotedprintable.NewWriter(b)
	_, _ = w.Write([]byte(text)) // into memory: cannot fail
	_ = w.Close()
}

// lined writes bytes as base64 in lines of 76 characters (RFC 2045 §6.8).
func lined(b *bytes.Buffer, content []byte) {
	const perLine = 76 / 4 * 3
	for len(content) > 0 {
		n := min(len(content), perLine)
		b.WriteString(base64.StdEncoding.EncodeToString(content[:n]) + "\r\n")
		content = content[n:]
	}
}

// Deliver implements Correspondent.
func (s *slack) Deliver(ctx context.Context, l Letter) error {
	_, err := s.post(ctx, slackMessage{Channel: s.channel, Text: slackLetter(l)})
	return err
}

// slackLetter is the summary in mrkdwn. What does not fit is counted.
func slackLetter(l Letter) string {
	foot := ""
	if l.Link.URL != "" {
		foot = slackLink(l.Link)
	}
	var b strings.Builder
	b.WriteString("*" + slackEscape.Replace(line(l.Title, maxTitle)) + "*\n")
	const spare = 100 // for the line that says how many are left out
	for i, text := range l.Lines {
		text = slackEscape.Replace(line(text, maxValue)) + "\n"
		if runes(b.String())+runes(text)+runes(foot)+spare > slackMost {
			fmt.Fprintf(&b, "… and %d more lines\n", len(l.Lines)-i)
			break
		}
		b.WriteString(text)
	}
	return strings.TrimSuffix(b.String()+foot, "\n")
}
