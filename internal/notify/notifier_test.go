package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// running starts a notifier; what it returns ends it and waits.
func running(t *testing.T, c Config, ways ...Way) (*Notifier, func()) {
	t.Helper()
	n, err := New(c, ways)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- n.Run(ctx) }()
	return n, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestHangingChannelHoldsNobody: Notify returns at once although one channel
// never answers and its queue overflows, and the other channel delivers all.
func TestHangingChannelHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, fine := &script{}, &script{}
		for range 1000 {
			hung.steps = append(hung.steps, hang)
		}
		r := prometheus.NewRegistry()
		n, end := running(t, Config{Metrics: r, Waiting: 300}, Way{Name: "hung", Channel: hung}, Way{Name: "fine", Channel: fine})
		begun := time.Now()
		for i := range 500 {
			n.Notify(about(fmt.Sprint(i)))
			synctest.Wait()
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("Notify waited for %s", took)
		}
		if len(fine.keys()) != 500 {
			t.Errorf("the other channel got %d of 500", len(fine.keys()))
		}
		if got := counts(t, r, "hung"); got["dropped"] != 200 {
			t.Errorf("of 500 for a queue of 300: %v, want 200 dropped", got)
		}
		end()
		if got := counts(t, r, "hung"); got["dropped"]+got["failed"] != 500 || got["sent"] != 0 {
			t.Errorf("at the end: %v, want all 500 counted as lost", got)
		}
	})
}

// TestRetries: with growing pauses, never before Retry-After, until the deadline.
func TestRetries(t *testing.T) {
	down := failing(errors.New("connection refused"))
	busy := failing(&Failure{Err: errors.New("429"), After: 90 * time.Second})
	tests := map[string]struct {
		steps []func(context.Context) error
		want  map[string]int
		check func(at []time.Duration) bool
	}{
		"down for a while": {[]func(context.Context) error{down, down, down}, map[string]int{"sent": 1, "retried": 3},
			func(at []time.Duration) bool {
				return len(at) == 4 && at[1] >= 500*time.Millisecond && at[1] <= time.Second && at[3]-at[2] >= 2*time.Second && at[3] <= 7*time.Second
			}},
		"asked to wait": {[]func(context.Context) error{busy}, map[string]int{"sent": 1, "retried": 1},
			func(at []time.Duration) bool { return len(at) == 2 && at[1] == 90*time.Second }},
		"refused": {[]func(context.Context) error{failing(final(errors.New("400")))}, map[string]int{"failed": 1},
			func(at []time.Duration) bool { return len(at) == 1 }},
		"asked to wait beyond the deadline": {[]func(context.Context) error{failing(&Failure{Err: errors.New("429"), After: time.Hour})},
			map[string]int{"failed": 1}, func(at []time.Duration) bool { return len(at) == 1 }},
		// 0.75 · (1 + 2 + … + 32) s and then 45 s each: 18 pauses end within 10 minutes.
		"down for good": {func() (all []func(context.Context) error) {
			for range 100 {
				all = append(all, down)
			}
			return all
		}(), map[string]int{"failed": 1, "retried": 18}, func(at []time.Duration) bool { return at[len(at)-1] <= 10*time.Minute }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := &script{steps: test.steps}, prometheus.NewRegistry()
				n, end := running(t, Config{Metrics: r}, Way{Name: "c", Channel: s})
				for _, w := range n.ways {
					w.random = func() float64 { return .5 }
				}
				begun := time.Now()
				n.Notify(about("m"))
				<-time.After(11 * time.Minute)
				end()
				if diff := cmp.Diff(test.want, counts(t, r, "c")); diff != "" {
					t.Errorf("outcomes: %s", diff)
				}
				var at []time.Duration
				for _, a := range s.at {
					at = append(at, a.Sub(begun))
				}
				if !test.check(at) {
					t.Errorf("attempts after %v", at)
				}
			})
		})
	}
}

// TestOrder: what one matter is told stays in order while it is tried again;
// other matters go past it, pages first.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []func(context.Context) error{failing(errors.New("no")), failing(errors.New("no"))}}
		n, err := New(Config{}, []Way{{Name: "c", Channel: s}})
		if err != nil {
			t.Fatal(err)
		}
		first, second, other, page := about("a"), about("a"), about("b"), about("c")
		first.Title, second.Title, page.Page = "1", "2", true
		for _, m := range []Message{first, second, other, page} {
			n.Notify(m)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := n.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"c", "a", "b"}, s.tried[:3]); diff != "" {
			t.Error("the page first, then by age, none held up by what failed:", diff)
		}
		var titles string
		for _, m := range s.sent {
			if m.Key == "a" {
				titles += m.Title
			}
		}
		if titles != "12" {
			t.Errorf("the matter was told in the order %s", titles)
		}
	})
}

// TestFullQueueKeepsPages: what gives way is what wakes nobody.
func TestFullQueueKeepsPages(t *testing.T) {
	q := newQueue(3)
	page := func(key string, page bool) *waiting { return &waiting{message: Message{Key: key, Page: page}} }
	var dropped []string
	for _, w := range []*waiting{page("p1", true), page("t1", false), page("t2", false), page("p2", true), page("p3", true), page("p4", true)} {
		if d := q.push(w); d != nil {
			dropped = append(dropped, d.message.Key)
		}
	}
	if diff := cmp.Diff([]string{"t1", "t2", "p1"}, dropped); diff != "" {
		t.Error("dropped:", diff)
	}
}

// TestLastWords: what waits at the end is tried once more, without the pause.
func TestLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []func(context.Context) error{failing(&Failure{Err: errors.New("503"), After: 5 * time.Minute})}}
		n, end := running(t, Config{}, Way{Name: "c", Channel: s})
		n.Notify(about("m"))
		<-time.After(time.Second)
		end()
		if len(s.keys()) != 1 {
			t.Error("what waited was not tried at the end")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []func(context.Context) error{hang, hang}}
		n, end := running(t, Config{Drain: 3 * time.Second, Attempt: time.Hour}, Way{Name: "c", Channel: s})
		n.Notify(about("m"))
		synctest.Wait()
		begun := time.Now()
		end()
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("a channel that hangs held the end up for %s", took)
		}
	})
}

// TestWhatGoesWhere: tickets stay out of a channel for pages; what may be told
// twice without harm is, and else only while it may not have been told.
func TestWhatGoesWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pages, chat, idempotent := &script{}, &script{}, &script{}
		n, end := running(t, Config{}, Way{Name: "pages", Channel: pages, OnlyPages: true},
			Way{Name: "chat", Channel: chat, Once: true}, Way{Name: "idempotent", Channel: idempotent})
		ticket, page, again, old := about("ticket"), about("page"), about("again"), about("old")
		page.Page, again.Repeat, old.Repeat = true, true, true
		again.At, old.At = time.Now().Add(-9*time.Minute), time.Now().Add(-11*time.Minute)
		for _, m := range []Message{ticket, page, again, old} {
			n.Notify(m)
			synctest.Wait()
		}
		end()
		for _, want := range []struct {
			name string
			got  []string
			want []string
		}{
			{"pages", pages.keys(), []string{"page"}},
			{"chat", chat.keys(), []string{"ticket", "page", "again"}},
			{"idempotent", idempotent.keys(), []string{"ticket", "page", "again", "old"}},
		} {
			if diff := cmp.Diff(want.want, want.got); diff != "" {
				t.Errorf("%s: %s", want.name, diff)
			}
		}
	})
}

// TestReminders: what is open is said again until it is resolved, newest words.
func TestReminders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		n, end := running(t, Config{}, Way{Name: "c", Channel: s, Again: time.Minute})
		m := about("m")
		n.Notify(m)
		<-time.After(150 * time.Second)
		m.Title = "news"
		n.Notify(m)
		<-time.After(time.Minute)
		m.Resolved = true
		n.Notify(m)
		<-time.After(10 * time.Minute)
		end()
		var got []string
		for _, m := range s.sent {
			got = append(got, fmt.Sprintf("%s %t", m.Title, m.Resolved))
		}
		want := []string{"m false", "m false", "m false", "news false", "news false", "news true"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLostIsSaid: the log has what nobody heard.
func TestLostIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		s := &script{steps: []func(context.Context) error{failing(final(errors.New("400 Bad Request")))}}
		n, end := running(t, Config{Log: slog.New(slog.NewTextHandler(&logged, nil))}, Way{Name: "slack", Channel: s})
		n.Notify(harmful())
		synctest.Wait()
		end()
		for _, want := range []string{"nobody was told", "channel=slack", "key=kill/checkout/1", "page=true", "400 Bad Request"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, &logged)
			}
		}
	})
}
