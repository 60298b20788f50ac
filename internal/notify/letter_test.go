package notify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
)

// daysLetter is a letter with everything that one can have.
func daysLetter() Letter {
	return Letter{
		Key: "report/2026-03-01", At: noon, Title: "Experiments on 1 March 2026: 1 to stop",
		Lines: []string{"checkout <b>: stop", "search: keep running"},
		Text:  "checkout: stop\nconversion −2 %\n", HTML: "<p>checkout: <b>stop</b>, " + strings.Repeat("conversion −2 % ", 80) + "</p>",
		File: &File{Name: "assay-2026-03-01.html", Type: "text/html; charset=utf-8", Content: []byte(strings.Repeat("<p>all of it</p>", 20))},
		Link: Link{Name: "the whole report", URL: "https://assay.example/reports/2026-03-01/"},
	}
}

// parts reads a mail as its recipient's program does: the decoded parts by type, those
// of a multipart one after the other.
func parts(t *testing.T, r io.Reader, contentType string) (out [][2]string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	for m := multipart.NewReader(r, params["boundary"]); ; {
		p, err := m.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if inner := p.Header.Get("Content-Type"); strings.HasPrefix(inner, "multipart/") {
			kind, _, _ := strings.Cut(inner, ";")
			out = append(append(out, [2]string{kind, ""}), parts(t, p, inner)...)
			continue
		}
		body := io.Reader(p)
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		name := p.Header.Get("Content-Type")
		if p.FileName() != "" {
			name = p.FileName()
		}
		out = append(out, [2]string{name, string(b)})
	}
}

// TestLetterByMail: a mail program finds plain text and HTML of the same, the file
// beside them, and by the message id that it had the mail already.
func TestLetterByMail(t *testing.T) {
	s, c := newMailServer(t, ImplicitTLS, nil)
	e, err := NewEmail(c)
	if err != nil {
		t.Fatal(err)
	}
	l := daysLetter()
	for range 2 {
		if err := e.(Correspondent).Deliver(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.received) != 2 || s.received[0] != s.received[1] {
		t.Fatalf("%d mails, the same %t", len(s.received), s.received[0] == s.received[len(s.received)-1])
	}
	got, err := mail.ReadMessage(strings.NewReader(s.received[0]))
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Subject") != l.Title || got.Header.Get("Message-ID") == "" || got.Header.Get("Date") != "Sun, 01 Mar 2026 12:00:00 +0000" {
		t.Errorf("header %v", got.Header)
	}
	want := [][2]string{
		{"multipart/alternative", ""}, {"text/plain; charset=utf-8", l.Text}, {"text/html; charset=utf-8", l.HTML},
		{l.File.Name, string(l.File.Content)},
	}
	if have := parts(t, got.Body, got.Header.Get("Content-Type")); fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("parts\n%q, want\n%q", have, want)
	}
	for _, line := range strings.Split(s.received[0], "\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

// TestLetterToSome: one recipient that is refused keeps the letter from nobody else, and
// who sends it learns that it was delivered.
func TestLetterToSome(t *testing.T) {
	_, c := newMailServer(t, NoTLS, func(s *mailServer) {
		s.replies = map[string]string{"RCPT TO:<gone@example.com>": "550 no such user"}
	})
	c.To = append(c.To, "gone@example.com")
	e, err := NewEmail(c)
	if err != nil {
		t.Fatal(err)
	}
	err = e.(Correspondent).Deliver(t.Context(), daysLetter())
	if f := failureOf(err); !f.Partial || !f.Final || !strings.Contains(f.Error(), "sent to 1 of 2") {
		t.Errorf("%v, partial %t, final %t", err, f.Partial, f.Final)
	}
}

// TestLetterInSlack: the summary and the link, with no markup of its own, and cut by the
// line where it is too long.
func TestLetterInSlack(t *testing.T) {
	s := newService(t, always(200, `{"ok":true,"ts":"1.2"}`))
	c, err := NewSlack(SlackConfig{URL: s.URL, Token: "xoxb-not-a-real-token", Channel: "C1"})
	if err != nil {
		t.Fatal(err)
	}
	long := daysLetter()
	for i := range 200 {
		long.Lines = append(long.Lines, fmt.Sprintf("experiment %d: %s", i, strings.Repeat("keep running ", 5)))
	}
	for _, l := range []Letter{daysLetter(), long} {
		if err := c.(Correspondent).Deliver(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	var first, second struct{ Channel, Text string }
	s.sent(t, 0, &first)
	s.sent(t, 1, &second)
	want := "*Experiments on 1 March 2026: 1 to stop*\ncheckout &lt;b&gt;: stop\nsearch: keep running\n<https://assay.example/reports/2026-03-01/|the whole report>"
	if first.Channel != "C1" || first.Text != want {
		t.Errorf("%q, want %q", first.Text, want)
	}
	if n := runes(second.Text); n > slackMost || !strings.Contains(second.Text, "… and 1") || !strings.HasSuffix(second.Text, "|the whole report>") {
		t.Errorf("%d characters, ending %q", n, second.Text[len(second.Text)-200:])
	}
}
