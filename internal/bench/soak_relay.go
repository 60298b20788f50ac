package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// slowRelay passes on what clients and ClickHouse say, later when it is told to.
type slowRelay struct {
	ln    net.Listener
	to    string
	delay atomic.Int64 // of everything that is read, in nanoseconds
}

func newSlowRelay(ctx context.Context, to string) (*slowRelay, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the relay: %w", err)
	}
	r := &slowRelay{ln: ln, to: to}
	go r.serve()
	return r, nil
}

func (r *slowRelay) addr() string { return r.ln.Addr().String() }
func (r *slowRelay) close() error { return r.ln.Close() }

func (r *slowRelay) slow(by time.Duration) { r.delay.Store(int64(by)) }

func (r *slowRelay) serve() {
	for {
		client, err := r.ln.Accept()
		if err != nil {
			return // it was closed
		}
		go r.connect(client)
	}
}

// connect passes on both ways; what one side ends is ended at the other.
func (r *slowRelay) connect(client net.Conn) {
	var d net.Dialer
	server, err := d.Dial("tcp4", r.to)
	if err != nil {
		_ = client.Close()
		return
	}
	go r.pass(client, server)
	r.pass(server, client)
}

func (r *slowRelay) pass(from, to net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if by := time.Duration(r.delay.Load()); by > 0 {
			time.Sleep(by)
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil && !errors.Is(err, io.EOF) {
			return
		}
		if errors.Is(err, io.EOF) {
			if half, ok := to.(*net.TCPConn); ok {
				_ = half.CloseWrite()
				_, _ = io.Copy(io.Discard, from)
			}
			return
		}
	}
}
