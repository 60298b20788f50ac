package clickhouse_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// TestCutGreeting: a connection that ends within the server's greeting is a lost
// connection like any other, wherever it was cut.
func TestCutGreeting(t *testing.T) {
	s := newStore(t)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	const cuts = 6
	var met atomic.Int64
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp4", s.engine.Addr())
			if err != nil {
				client.Close()
				return
			}
			go func() {
				_, _ = io.Copy(server, client)
				server.Close()
			}()
			go func() {
				// The greeting begins with its kind and the server's name: the first
				// connections end after 1, 2, 3 … bytes of it.
				if n := met.Add(1); n <= cuts {
					_, _ = io.CopyN(client, server, n)
				} else {
					_, _ = io.Copy(client, server)
				}
				client.Close()
			}()
		}
	}()
	db := s.open(t, ln.Addr().String(), s.engine.Writer())
	if _, err := db.VersionNumber(t.Context()); err != nil {
		t.Errorf("after %d connections: %v", met.Load(), err)
	}
	if met.Load() <= cuts {
		t.Errorf("only %d connections: nothing was cut", met.Load())
	}
}
