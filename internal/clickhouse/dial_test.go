package clickhouse_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// TestNoGreeting: a server that takes connections and says nothing is waited for as long
// as the context lasts.
func TestNoGreeting(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	db, err := clickhouse.Open(t.Context(), clickhouse.Config{Addr: []string{l.Addr().String()}, User: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := db.VersionNumber(ctx); err == nil || !clickhouse.Transient(err) || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestConnectionOutlives: a connection belongs to the pool once it is made, and not to the
// context under which that was.
func TestConnectionOutlives(t *testing.T) {
	engine := embeddedtest.ClickHouse(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var made atomic.Int32
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			made.Add(1)
			server, err := net.Dial("tcp4", engine.Addr())
			if err != nil {
				_ = client.Close()
				return
			}
			go func() { _, _ = io.Copy(server, client); _ = server.(*net.TCPConn).CloseWrite() }()
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
		}
	}()
	user := engine.Writer()
	db, err := clickhouse.Open(t.Context(), clickhouse.Config{Addr: []string{l.Addr().String()}, Database: "default", User: user.Name, Password: user.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := db.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	if n := made.Load(); n != 1 {
		t.Errorf("%d connections were made for three questions, one after the other", n)
	}
}
