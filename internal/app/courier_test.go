package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/notify"
)

// postOffice is a mail server and a Slack that keep what they get. Both can be closed.
type postOffice struct {
	mu     sync.Mutex
	mails  []string
	posts  []string
	closed bool
	config config.Notify
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	p := &postOffice{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer conn.Close(); p.mail(conn) })
		}
	})
	slack := httptest.NewServer(http.HandlerFunc(p.slack))
	t.Cleanup(func() { slack.Close(); l.Close(); wg.Wait() })
	t.Setenv("ASSAY_TEST_SLACK", "xoxb-not-a-real-token")
	p.config = config.Notify{
		Email: &config.Email{Server: l.Addr().String(), TLS: "none", From: "assay@example.com", To: []string{"oncall@example.com"}},
		Slack: &config.Slack{URL: slack.URL, Channel: "C1", Token: config.Secret{Env: "ASSAY_TEST_SLACK"}},
	}
	return p
}

// mail speaks as much SMTP (RFC 5321) as one mail needs.
func (p *postOffice) mail(conn net.Conn) {
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 mail.example.com")
	for {
		line, err := r.ReadLine()
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case err != nil || verb == "QUIT":
			return
		case verb == "MAIL" && p.shut():
			say("451 closed for now")
		case verb == "DATA":
			say("354 go on")
			body, err := r.ReadDotBytes()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.mails = append(p.mails, string(body))
			p.mu.Unlock()
			say("250 queued")
		default:
			say("250 ok")
		}
	}
}

func (p *postOffice) slack(w http.ResponseWriter, r *http.Request) {
	var m struct{ Text string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || p.shut() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p.mu.Lock()
	p.posts = append(p.posts, m.Text)
	p.mu.Unlock()
	_, _ = io.WriteString(w, `{"ok":true,"ts":"1.2"}`)
}

func (p *postOffice) shut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *postOffice) close(closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = closed
}

// got are the days that were delivered over each channel, in order.
func (p *postOffice) got() (mails, posts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	day := func(text string) string {
		_, after, _ := strings.Cut(text, "day ")
		return strings.Trim(strings.Fields(after + " ?")[0], "*")
	}
	for _, m := range p.mails {
		mails = append(mails, day(m))
	}
	for _, m := range p.posts {
		posts = append(posts, day(m))
	}
	return mails, posts
}

// sender is a courier as a process that begins now has it: it knows nothing but the log.
func (p *postOffice) sender(t *testing.T, s *Stack, name string, now *time.Time) *courier {
	t.Helper()
	over, err := addressesOf(config.Report{}, p.config)
	if err != nil {
		t.Fatal(err)
	}
	return &courier{
		schedule: daily.Schedule{Zone: time.UTC, At: daily.Clock{Hour: 8}, CatchUp: 3}, over: over, log: s.DB, actor: name,
		now: func() time.Time { return *now }, logger: slog.New(slog.DiscardHandler),
		letter: func(_ context.Context, day daily.Date) (notify.Letter, error) {
			return notify.Letter{Key: "report/" + day.String(), At: *now, Title: "day " + day.String(), Text: "day", HTML: "<p>day</p>"}, nil
		},
	}
}

// TestReportIsSentOnce is a week of two senders, restarts, a mail server that is closed
// for a while, a sender that dies between sending and noting, and days without anybody.
func TestReportIsSentOnce(t *testing.T) {
	s, p := newStack(t), newPostOffice(t)
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	round := func(c *courier) {
		t.Helper()
		if err := c.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	check := func(why string, mails, posts []string) {
		t.Helper()
		m, q := p.got()
		if d := cmp.Diff([][]string{mails, posts}, [][]string{m, q}); d != "" {
			t.Fatalf("%s (-want +got):\n%s", why, d)
		}
	}
	a, b := p.sender(t, s, "guard@a", &now), p.sender(t, s, "guard@b", &now)
	now = now.Add(-time.Second)
	round(a)
	// A channel begins with the newest day that is due.
	check("before eight it is the day before yesterday's", []string{"2026-02-28"}, []string{"2026-02-28"})
	now = now.Add(time.Second)
	var both sync.WaitGroup
	for _, c := range []*courier{a, b} {
		both.Go(func() { _ = c.round(t.Context()) }) // a conflict is no failure; what is left is for the next round
	}
	both.Wait()
	round(a)
	round(b)
	check("two senders send one", []string{"2026-02-28", "2026-03-01"}, []string{"2026-02-28", "2026-03-01"})
	round(p.sender(t, s, "guard@a", &now))
	check("and a restart sends nothing", []string{"2026-02-28", "2026-03-01"}, []string{"2026-02-28", "2026-03-01"})

	now = now.Add(24 * time.Hour)
	p.close(true)
	round(a)
	round(b)
	p.close(false)
	round(a)
	check("what failed waits a minute", []string{"2026-02-28", "2026-03-01"}, []string{"2026-02-28", "2026-03-01"})
	now = now.Add(2 * time.Minute)
	round(p.sender(t, s, "guard@b", &now))
	check("then whoever is there sends it", []string{"2026-02-28", "2026-03-01", "2026-03-02"}, []string{"2026-02-28", "2026-03-01", "2026-03-02"})

	now = now.Add(24 * time.Hour)
	dying := p.sender(t, s, "guard@a", &now)
	dying.log = dies{s.DB}
	if err := dying.round(t.Context()); !errors.Is(err, errDied) {
		t.Fatalf("it was to die: %v", err)
	}
	round(b)
	m, _ := p.got()
	if n := len(m); n != 4 {
		t.Fatalf("%d mails after a sender died behind one, want that one", n)
	}
	now = now.Add(daily.Lease)
	round(b)
	m, _ = p.got()
	if want := []string{"2026-03-03", "2026-03-03"}; cmp.Diff(want, m[3:]) != "" {
		t.Fatalf("at least once: %v, want %v", m[3:], want)
	}

	now = now.Add(10 * 24 * time.Hour)
	round(p.sender(t, s, "guard@c", &now))
	m, _ = p.got()
	if want := []string{"2026-03-11", "2026-03-12", "2026-03-13"}; cmp.Diff(want, m[5:]) != "" {
		t.Fatalf("after ten days of silence: %v, want %v", m[5:], want)
	}
}

// errDied stands for the end of a process.
var errDied = errors.New("the sender died")

// dies lets a sender die before it notes that it has sent.
type dies struct{ deliveries }

func (d dies) AppendDelivery(ctx context.Context, e daily.Entry) error {
	if e.State != daily.Claimed {
		return errDied
	}
	return d.deliveries.AppendDelivery(ctx, e)
}

// TestReportByHand: what a person sends is sent whatever the log says, and the schedule
// does not send it again.
func TestReportByHand(t *testing.T) {
	s, p := newStack(t), newPostOffice(t)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := p.sender(t, s, "ada", &now)
	day := daily.Date{Year: 2026, Month: time.March, Day: 1}
	for range 2 {
		sent, err := c.byHand(t.Context(), day)
		if err != nil || len(sent) != 2 || sent[0].State != "sent" || sent[1].State != "sent" {
			t.Fatalf("%+v, %v", sent, err)
		}
	}
	if err := p.sender(t, s, "guard@a", &now).round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, q := p.got(); len(m) != 2 || len(q) != 2 {
		t.Errorf("%d mails and %d messages, want two of each", len(m), len(q))
	}
	p.close(true)
	if sent, err := c.byHand(t.Context(), day.Add(-1)); err != nil || sent[0].State != "failed" || sent[0].Detail == "" {
		t.Errorf("%+v, %v: want a failure that says why", sent, err)
	}
}

// TestScheduledReport: the whole of it, from stored looks to the mail, with the day's plain
// words in it and the page attached; and the pages lie in the folder.
func TestScheduledReport(t *testing.T) {
	w, date, now := twoDays(t)
	p := newPostOffice(t)
	w.Config.Notify, w.Config.Reports = p.config, t.TempDir()
	w.Config.Report = config.Report{Timezone: "UTC", At: "01:00", CatchUp: 3, Email: []string{"owners@example.com"}}
	schedule, _, err := w.Config.Report.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.courier(schedule, true)
	if err != nil {
		t.Fatal(err)
	}
	c.now = func() time.Time { return now }
	if err := errors.Join(w.writeDue(t.Context(), schedule, now), c.round(t.Context())); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) != 1 || len(p.posts) != 1 {
		t.Fatalf("%d mails, %d messages", len(p.mails), len(p.posts))
	}
	for _, want := range []string{"To: <owners@example.com>", "Subject: [assay] Experiments on " + date.Long(), "multipart/alternative", "In plain words", `filename="assay-` + date.String() + `.html"`} {
		if !strings.Contains(p.mails[0], want) {
			t.Errorf("the mail lacks %q", want)
		}
	}
	if !strings.Contains(p.posts[0], "cta: ") {
		t.Errorf("Slack was told %q", p.posts[0])
	}
	if _, err := os.Stat(filepath.Join(w.Config.Reports, date.String(), "index.html")); err != nil {
		t.Error(err)
	}
}
