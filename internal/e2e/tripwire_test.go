package e2e

import (
	"bytes"
	"io"
	"net"
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
		_ = l.Close()
		w.mu.Lock()
		for _, c := range w.open {
			_ = c.Close()
		}
		w.mu.Unlock()
		serving.Wait()
	})
	return w
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
		seen := append(before, b[:n]...)
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
