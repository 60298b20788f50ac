package embedded

import (
	"errors"
	"io"
	"net"
	"sync"
)

// relay accepts connections on ln until it is closed and joins each to one of
// its own to the engine's address.
//
// It exists because the engine, as a library, aborts its process when it reads
// a connection reset ("Terminate called for uncaught exception", code 210), and
// a client that is killed with unread data sends exactly that. So the engine
// never sees how a client ended: it sees a clean half-close, and everything
// that it still writes is read.
func relay(ln net.Listener, engine string) {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the client was gone before it was accepted
		}
		go join(conn.(*net.TCPConn), engine)
	}
}

// join copies both ways until both sides have ended.
func join(client *net.TCPConn, engine string) {
	defer client.Close()
	conn, err := net.Dial("tcp", engine)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer server.Close()

	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, client) // how it ended is what must not be passed on
		_ = server.CloseWrite()
	})
	both.Go(func() {
		if _, err := io.Copy(client, server); err != nil {
			_, _ = io.Copy(io.Discard, server)
		}
		// A client that only listens would keep the other direction open for
		// ever; the engine has ended, so nothing more can be answered.
		_ = client.Close()
	})
	both.Wait()
}
