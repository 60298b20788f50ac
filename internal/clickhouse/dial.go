package clickhouse

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// dialer makes the driver's connections. The driver waits for the server's greeting for
// the whole dialTimeout, whatever the context says: a server that stands still, whose
// kernel goes on taking connections, would hold up everything that has less time.
func dialer(config *tls.Config) func(context.Context, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout}
	dial := plain.DialContext
	if config != nil {
		dial = (&tls.Dialer{NetDialer: plain, Config: config}).DialContext
	}
	return func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := dial(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return &greeted{Conn: conn, bound: context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
	}
}

// greeted is a connection that ends with the context that made it, until the server has
// said something. From then on it belongs to the pool.
type greeted struct {
	net.Conn
	bound func() bool
	once  sync.Once
}

// Read implements net.Conn.
func (g *greeted) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.once.Do(func() { g.bound() })
	return n, err
}
