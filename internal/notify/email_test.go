package notify

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer is a server of RFC 5321 with STARTTLS (RFC 3207) and AUTH PLAIN
// (RFC 4954), as small as it can be.
type mailServer struct {
	listener net.Listener
	tls      *tls.Config
	starttls bool
	replies  map[string]string // instead of what the verb would be answered

	mu       sync.Mutex
	said     []string // every command, "TLS" where it begins
	received []string // mails
	wg       sync.WaitGroup
}

func newMailServer(t *testing.T, mode TLSMode, change func(*mailServer)) (*mailServer, EmailConfig) {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	s := &mailServer{tls: &tls.Config{Certificates: certified.TLS.Certificates}, starttls: mode == StartTLS}
	if change != nil {
		change(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.listener = l; mode == ImplicitTLS {
		s.listener = tls.NewListener(l, s.tls)
	}
	s.wg.Go(s.accept)
	t.Cleanup(func() { l.Close(); s.wg.Wait() })
	return s, EmailConfig{
		Server: l.Addr().String(), TLS: mode, From: "assay <assay@example.com>", To: []string{"oncall@example.com"},
		Roots: &tls.Config{RootCAs: roots},
	}
}

func (s *mailServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { defer conn.Close(); s.serve(conn) })
	}
}

func (s *mailServer) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 mail.example.com ESMTP")
	for {
		text, err := r.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimRight(text, "\r\n")
		s.mu.Lock()
		s.said = append(s.said, text)
		s.mu.Unlock()
		verb := strings.ToUpper(strings.Fields(text + " x")[0])
		reply, scripted := s.replies[text]
		if !scripted {
			reply, scripted = s.replies[verb]
		}
		switch {
		case reply == "hang":
			_, _ = r.ReadString('\n')
			return
		case scripted:
			say(reply)
		case verb == "EHLO" && s.starttls:
			say("250-mail.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN")
		case verb == "EHLO":
			say("250-mail.example.com\r\n250 AUTH PLAIN")
		case verb == "STARTTLS":
			say("220 go ahead")
			secured := tls.Server(conn, s.tls)
			conn, r, s.starttls = secured, bufio.NewReader(secured), false
			say = func(text string) { _, _ = io.WriteString(secured, text+"\r\n") }
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			body, err := textproto.NewReader(r).ReadDotBytes()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.received = append(s.received, string(body))
			s.mu.Unlock()
			say("250 queued")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *mailServer) heard(prefix string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.said {
		if strings.HasPrefix(c, prefix) {
			return true
		}
	}
	return false
}

// TestEmail is a whole conversation, in each of the modes.
func TestEmail(t *testing.T) {
	for _, mode := range []TLSMode{StartTLS, ImplicitTLS, NoTLS} {
		t.Run(string(mode), func(t *testing.T) {
			s, c := newMailServer(t, mode, nil)
			c.To = append(c.To, "Owner <owner@example.com>")
			if mode != NoTLS {
				c.User, c.Password = "assay", "not-a-real-password"
			}
			e, err := NewEmail(c)
			if err != nil {
				t.Fatal(err)
			}
			m := harmful()
			m.Text += "\n." // a dot alone would end the mail
			if err := e.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			login := base64.StdEncoding.EncodeToString([]byte("\x00assay\x00not-a-real-password"))
			if s.heard("STARTTLS") != (mode == StartTLS) || s.heard("AUTH PLAIN "+login) != (mode != NoTLS) {
				t.Errorf("said %q", s.said)
			}
			if !s.heard("RCPT TO:<owner@example.com>") || !s.heard("RCPT TO:<oncall@example.com>") {
				t.Errorf("said %q", s.said)
			}
			if len(s.received) != 1 {
				t.Fatalf("%d mails", len(s.received))
			}
			got, body := parse(t, s.received[0])
			if got.Get("Subject") != "[assay] PAGE checkout: harm, turning it off" || got.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("header %v", got)
			}
			for _, want := range []string{m.Title, "harm: 0.15, at least 0.12", "runbook: https://runbooks.example/guardrails.md#harm", "kill/checkout/1, since 2026-03-01T12:00:00Z"} {
				if !strings.Contains(body, want) {
					t.Errorf("the mail lacks %q:\n%s", want, body)
				}
			}
		})
	}
}

// parse reads a mail as its recipient does.
func parse(t *testing.T, raw string) (mail.Header, string) {
	t.Helper()
	got, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, raw)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	return got.Header, string(body)
}

// TestEmailHeaders: what a title holds makes no header of its own, lines are
// short enough for every server, and mails of one matter are one thread.
func TestEmailHeaders(t *testing.T) {
	s, c := newMailServer(t, NoTLS, nil)
	e, err := NewEmail(c)
	if err != nil {
		t.Fatal(err)
	}
	first, second := harmful(), harmful()
	first.Title = "x\r\nBcc: everybody@example.com\r\n\r\nbody"
	second.Title, second.Text, second.Resolved = strings.Repeat("ü", 300), strings.Repeat("ü", 3000), true
	for _, m := range []Message{first, second} {
		if err := e.Send(t.Context(), m.tidy()); err != nil {
			t.Fatal(err)
		}
	}
	h1, _ := parse(t, s.received[0])
	h2, _ := parse(t, s.received[1])
	if h1.Get("Bcc") != "" || len(h1) != 11 || !strings.Contains(h1.Get("Subject"), "Bcc: everybody") {
		t.Errorf("header %v", h1)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(h2.Get("Subject"))
	if want := "[assay] RESOLVED " + strings.Repeat("ü", maxTitle-1) + "…"; err != nil || subject != want {
		t.Errorf("subject %q, %v", subject, err)
	}
	for _, l := range strings.Split(s.received[1], "\n") {
		if len(l) > 200 {
			t.Errorf("a line of %d bytes: %.60s…", len(l), l)
		}
	}
	if h1.Get("References") == "" || h1.Get("References") != h2.Get("References") || h1.Get("Message-Id") == h2.Get("Message-Id") {
		t.Errorf("threads %v and %v", h1, h2)
	}
}

// TestEmailRefusals: RFC 5321 §4.2.1: 4yz is for now, 5yz for good.
func TestEmailRefusals(t *testing.T) {
	tests := map[string]struct {
		mode    TLSMode
		replies map[string]string
		want    string
		text    string
		mails   int
	}{
		"greylisted":         {NoTLS, map[string]string{"RCPT": "451 try later"}, "again", `451 "try later"`, 0},
		"unknown recipient":  {NoTLS, map[string]string{"RCPT": "550 no such user"}, "final", `550 "no such user"`, 0},
		"one of two refused": {NoTLS, map[string]string{"RCPT TO:<gone@example.com>": "550 no such user"}, "final", "sent to 1 of 2", 1},
		"busy":               {NoTLS, map[string]string{"DATA": "452 full"}, "again", `452 "full"`, 0},
		"wrong password":     {StartTLS, map[string]string{"AUTH": "535 not-a-real-password is wrong"}, "final", `535 "[secret] is wrong"`, 0},
		"no TLS offered":     {StartTLS, map[string]string{"EHLO": "250 mail.example.com"}, "final", "no STARTTLS", 0},
		"hangs":              {NoTLS, map[string]string{"MAIL": "hang"}, "again", "no answer in time", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := newMailServer(t, test.mode, func(s *mailServer) { s.replies = test.replies })
			c.To = append(c.To, "gone@example.com")
			if test.mode == StartTLS {
				c.User, c.Password = "assay", "not-a-real-password"
			}
			e, err := NewEmail(c)
			if err != nil {
				t.Fatal(err)
			}
			n, err := New(Config{Attempt: 300 * time.Millisecond}, []Way{{Name: "email", Channel: e}})
			if err != nil {
				t.Fatal(err)
			}
			got := n.Try(t.Context(), harmful())[0].Err
			if failureKind(got) != test.want || got == nil || !strings.Contains(got.Error(), test.text) {
				t.Errorf("%q (%v), want %q with %q", failureKind(got), got, test.want, test.text)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.received) != test.mails {
				t.Errorf("%d mails, want %d", len(s.received), test.mails)
			}
			if test.text == "no STARTTLS" && strings.Contains(fmt.Sprint(s.said), "AUTH") {
				t.Errorf("it logged in without TLS: %q", s.said)
			}
		})
	}
}

func TestEmailConfigRefuses(t *testing.T) {
	for want, change := range map[string]func(*EmailConfig){
		"is not host:port":                func(c *EmailConfig) { c.Server = "mail" },
		"unknown mode":                    func(c *EmailConfig) { c.TLS = "ssl" },
		"sends the password to everybody": func(c *EmailConfig) { c.TLS, c.User = NoTLS, "u" },
		"from:":                           func(c *EmailConfig) { c.From = "nobody" },
		"to: \"x\"":                       func(c *EmailConfig) { c.To = []string{"x"} },
		"at least one":                    func(c *EmailConfig) { c.To = nil },
	} {
		c := EmailConfig{Server: "127.0.0.1:25", From: "a@example.com", To: []string{"b@example.com"}}
		change(&c)
		if _, err := NewEmail(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
