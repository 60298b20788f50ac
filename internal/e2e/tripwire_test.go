package e2e

import (
	"bytes"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// tripwire stands between a guard and ClickHouse and stops at a line of the decision
// log: before it is written, or after, when the guard does not know it yet. The
// connection that has the line is then dead, so that the guard can be killed exactly
// there.
type tripwire struct {
	listener net.Listener
	to       string
	line     []byte // how the guard writes it
	after    bool
	first    sync.Once
	tripped  chan struct{} // closed when the guard has come to the line

	mu   sync.Mutex
	open []net.Conn
}

func newTripwire(t *testing.T, to, kind string, after bool) *tripwire {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tripwire{listener: l, to: to, line: []byte(`"kind":"` + kind + `"`), after: after, tripped: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() { w.serve(&serving) })
	t.Cleanup(func() {
		w.cut()
		serving.Wait()
	})
	return w
}

// cut ends all connections, and there are no others.
func (w *tripwire) cut() {
	_ = w.listener.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		_ = c.Close()
	}
}

// configureThrough writes a configuration for a guard behind the wire.
func (w *world) configureThrough(wire *tripwire, file string) {
	w.t.Helper()
	config, err := os.ReadFile(w.path("assay.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(file, strings.Replace(string(config), w.engine.Addr(), wire.addr(), 1))
}

func (w *tripwire) addr() string { return w.listener.Addr().String() }

func (w *tripwire) serve(serving *sync.WaitGroup) {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp4", w.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		w.mu.Lock()
		w.open = append(w.open, client, server)
		w.mu.Unlock()
		c := &wired{tripwire: w, client: client, server: server}
		serving.Go(c.ask)
		serving.Go(c.answer)
	}
}

// wired is one connection.
type wired struct {
	*tripwire
	client, server net.Conn
	dead           atomic.Bool // the line has left, or is held back
}

// ask hands on what the guard says.
func (c *wired) ask() {
	defer func() { _ = c.server.(*net.TCPConn).CloseWrite() }()
	var before []byte // the end of what was read, in which the line may begin
	for b := make([]byte, 64<<10); ; {
		n, err := c.client.Read(b)
		seen := slices.Concat(before, b[:n])
		if bytes.Contains(seen, c.line) {
			c.dead.Store(true)
			c.first.Do(func() { close(c.tripped) })
			if !c.after {
				_, _ = io.Copy(io.Discard, c.client) // until the guard is dead
				return
			}
		}
		before = bytes.Clone(seen[max(0, len(seen)-len(c.line)+1):])
		if _, failed := c.server.Write(b[:n]); failed != nil || err != nil {
			return
		}
	}
}

// answer hands on what the server says, as long as the guard is to hear it.
func (c *wired) answer() {
	defer func() { _ = c.client.Close() }()
	for b := make([]byte, 64<<10); ; {
		n, err := c.server.Read(b)
		if c.dead.Load() {
			_, _ = io.Copy(io.Discard, c.server)
			return
		}
		if _, failed := c.client.Write(b[:n]); failed != nil || err != nil {
			return
		}
	}
}
