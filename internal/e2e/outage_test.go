package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const outageFile = `
key: cta
owner: growth
variants: {control: 50%, blue: 50%}
control: control
goals: [sales]
assignment: {system: assay}
`

// TestOutage: ClickHouse stands still, is killed, and is gone altogether, also while
// the parts start. Clients get their variants all along, everybody else is told what
// is wrong, and all of it comes back by itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setting{partitions: 2, own: true})
	w.write("experiments/cta.yaml", outageFile)
	w.write("metrics/sales.yaml", "name: sales\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")
	w.assay("apply")
	g := newGate(t, w.engine.Addr())
	w.start("--clickhouse", g.addr, "ingest")
	s := w.serve("--clickhouse", g.addr)
	s.await("ready", "/readyz", http.StatusOK)
	s.await("the list", "/api/v1/experiments", http.StatusOK, `"key":"cta"`)
	s.await("the page", "/", http.StatusOK, "cta")
	want := s.variant()

	for _, o := range []struct {
		what       string
		begin, end func()
	}{
		{"stands still", func() { w.signalEngine(syscall.SIGSTOP) }, func() { w.signalEngine(syscall.SIGCONT) }},
		{"is gone", g.gone, g.back},
	} {
		t.Run(o.what, func(t *testing.T) {
			stop := s.evaluate(want)
			o.begin()
			s.tells(t)
			if got := s.variant(); got != want {
				t.Errorf("a unit gets %q, and got %q before", got, want)
			}
			o.end()
			s.recovers()
			stop()
		})
	}
	stop := s.evaluate(want)
	w.signalEngine(syscall.SIGKILL)
	await(t, 30*time.Second, says("the engine is back"), func() bool { return w.engine.Restarts() > 0 && w.engine.Pid() != 0 })
	s.recovers()
	stop()

	s.process.stop()
	g.gone()
	s = w.serve("--clickhouse", g.addr)
	s.tells(t)
	if got := s.variant(); got != want {
		t.Errorf("started without ClickHouse a unit gets %q, and got %q before", got, want)
	}
	s.await("what it needs for that", "/readyz?part=assignment", http.StatusOK)
	fresh := w.serve("--clickhouse", g.addr, "--data", "another")
	fresh.await("nothing is known", "/readyz?part=assignment", http.StatusServiceUnavailable, "no configuration was read since the start")
	var early []*served
	for _, part := range []string{"ingest", "guard"} {
		e := w.part(part, waiting, "--clickhouse", g.addr)
		e.await("it is alive", "/healthz", http.StatusOK)
		e.await("it waits", "/readyz?part=clickhouse", http.StatusServiceUnavailable)
		early = append(early, e)
	}
	w.part("guard", waiting, "--clickhouse", g.addr).process.stop()
	g.back()
	for _, e := range early {
		e.at(serving)
		e.await("it does what it is for", "/readyz", http.StatusOK)
	}
	s.recovers()
	fresh.recovers()
	w.assay("kill", "cta", "--reason", "a test of outages")
	for _, s := range []*served{s, fresh} {
		await(t, 10*time.Second, says("the kill is heard of"), func() bool { return s.variant() == "control DISABLED" })
	}
	s.process.stop()
}

// signalEngine sends the engine's process a signal.
func (w *world) signalEngine(s syscall.Signal) {
	w.t.Helper()
	if err := syscall.Kill(w.engine.Pid(), s); err != nil {
		w.t.Fatal(err)
	}
}

// gate is the address of the engine for those who are to find it gone.
type gate struct {
	t    *testing.T
	addr string
	to   string

	mu   sync.Mutex
	ln   net.Listener
	open []net.Conn
}

func newGate(t *testing.T, to string) *gate {
	g := &gate{t: t, to: to, addr: "127.0.0.1:0"}
	g.back()
	g.addr = g.ln.Addr().String()
	t.Cleanup(g.gone)
	return g
}

// back takes connections again, at the same address.
func (g *gate) back() {
	g.t.Helper()
	ln, err := net.Listen("tcp4", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.ln = ln
	g.mu.Unlock()
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp4", g.to)
			if err != nil {
				_ = client.Close()
				continue
			}
			g.mu.Lock()
			g.open = append(g.open, client)
			g.mu.Unlock()
			go func() { _, _ = io.Copy(server, client); _ = server.(*net.TCPConn).CloseWrite() }()
			go func() { _, _ = io.Copy(client, server); _ = client.Close(); _ = server.Close() }()
		}
	}()
}

// gone ends all connections, and refuses new ones.
func (g *gate) gone() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.ln.Close()
	for _, c := range g.open {
		_ = c.Close()
	}
	g.open = nil
}

// served is a process with a door.
type served struct {
	t       *testing.T
	process *process
	url     string
}

// serve starts `assay serve`.
func (w *world) serve(args ...string) *served { return w.part("serve", serving, args...) }

// What a process says when it has a door: as ever, and while it waits for ClickHouse.
const (
	serving = `msg=serving address=(\S+)`
	waiting = `msg="ClickHouse does not answer: waiting for it" address=(\S+)`
)

// part starts `assay PART`, and waits until it says where its door is.
func (w *world) part(part, says string, args ...string) *served {
	w.t.Helper()
	s := &served{t: w.t, process: w.start(append(args, "--log-level", "info", part)...)}
	s.at(says)
	return s
}

// at waits until the process says where its door is.
func (s *served) at(says string) {
	s.t.Helper()
	address := regexp.MustCompile(says)
	await(s.t, 30*time.Second, s.process.err.String, func() bool {
		m := address.FindStringSubmatch(s.process.err.String())
		if m != nil {
			s.url = "http://" + m[1]
		}
		return m != nil
	})
}

// ask is one request, which is answered within a time.
func (s *served) ask(method, path, body string) (status int, text string, err error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 15*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

// await asks until the answer is as wanted.
func (s *served) await(what, path string, status int, parts ...string) {
	s.t.Helper()
	var got string
	await(s.t, 60*time.Second, func() string { return what + ": " + path + " says " + got }, func() bool {
		code, text, err := s.ask(http.MethodGet, path, "")
		got = fmt.Sprint(code, " ", text, err)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return false
			}
		}
		return err == nil && code == status
	})
}

// tells waits until it is said everywhere that ClickHouse is away.
func (s *served) tells(t *testing.T) {
	t.Helper()
	const why = "ClickHouse has not answered since "
	for path, parts := range map[string][]string{
		"/api/v1/experiments": {`"status":503`, why}, "/api/v1/experiments/cta": {`"status":503`, why}, "/api/v1/decisions": {`"status":503`, why},
		"/": {why, "comes back by itself"}, "/experiments/cta": {why}, "/data": {why},
		"/readyz": {`"clickhouse":"`, `"assignment":"ok"`},
	} {
		s.await("while it is away", path, http.StatusServiceUnavailable, parts...)
		if began := time.Now(); path != "/readyz" { // once it is known, nobody waits
			if _, _, err := s.ask(http.MethodGet, path, ""); err != nil || time.Since(began) > 2*time.Second {
				t.Errorf("%s is answered after %s, %v", path, time.Since(began), err)
			}
		}
	}
}

// recovers waits until everything is as it was.
func (s *served) recovers() {
	s.t.Helper()
	s.await("afterwards", "/readyz", http.StatusOK)
	for _, path := range []string{"/api/v1/experiments", "/api/v1/experiments/cta", "/api/v1/decisions", "/", "/experiments/cta", "/data"} {
		s.await("afterwards", path, http.StatusOK)
	}
}

// variant is what a unit gets, and why.
func (s *served) variant() string {
	s.t.Helper()
	code, text, err := s.ask(http.MethodPost, "/ofrep/v1/evaluate/flags/cta", `{"context":{"targetingKey":"u-1"}}`)
	if err != nil || code != http.StatusOK {
		return fmt.Sprint(code, " ", text, " ", err)
	}
	var a struct{ Variant, Reason string }
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		s.t.Fatal(err)
	}
	return a.Variant + " " + a.Reason
}

// evaluate asks all the time until it is stopped: every answer must be the same, and
// there at once.
func (s *served) evaluate(want string) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		asked, slowest := 0, time.Duration(0)
		for ctx.Err() == nil {
			began := time.Now()
			if got := s.variant(); got != want {
				s.t.Errorf("a unit gets %q, want %q", got, want)
				return
			}
			asked, slowest = asked+1, max(slowest, time.Since(began))
			<-tick.C
		}
		s.t.Logf("%d evaluations, the slowest took %s", asked, slowest.Round(time.Millisecond))
		if slowest > 2*time.Second {
			s.t.Errorf("an evaluation took %s", slowest)
		}
	})
	return func() { cancel(); asking.Wait() }
}
