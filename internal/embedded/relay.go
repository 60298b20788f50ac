package embedded

import (
	"bufio"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const helloTimeout = 10 * time.Second

// Error codes of ClickHouse.
const (
	unknownDatabase      = 81
	unexpectedPacket     = 101
	authenticationFailed = 516
)

// relay joins the clients of a listening socket to the engine behind it.
//
// It exists because the engine, as a library, aborts its process when an
// exception leaves the handler of a native connection. Two kinds do: a
// connection reset, which is what a client that is killed with unread data
// sends, and everything that can be wrong with the first packet: it is cut
// short, or names an unknown user, a wrong password or an unknown database. So
// the engine is shown neither. It never sees how a client ended, only a clean
// half-close after which everything that it still writes is read; and the first
// packet is judged here.
type relay struct {
	engine string // host:port
	// screen reads the beginning of a connection and returns the bytes to pass
	// on, or the answer with which to refuse; nil passes on everything.
	screen func(*bufio.Reader) (raw []byte, refusal error)
}

// serve accepts until ln is closed.
func (r relay) serve(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the client was gone before it was accepted
		}
		go r.handle(conn.(*net.TCPConn))
	}
}

func (r relay) handle(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	in := bufio.NewReader(client)
	var head []byte
	if r.screen != nil {
		_ = client.SetReadDeadline(time.Now().Add(helloTimeout))
		var err error
		if head, err = r.screen(in); err != nil {
			refuse(client, err)
			return
		}
		_ = client.SetReadDeadline(time.Time{})
	}
	conn, err := net.Dial("tcp", r.engine)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer func() { _ = server.Close() }()
	early, _ := in.Peek(in.Buffered())
	if _, err := server.Write(append(head, early...)); err != nil {
		return
	}
	join(client, server)
}

// refuse answers if there is an answer in the protocol.
func refuse(client *net.TCPConn, err error) {
	var answer exception
	if errors.As(err, &answer) {
		_, _ = client.Write(answer.encode())
		_ = client.CloseWrite()
		_, _ = io.Copy(io.Discard, io.LimitReader(client, longestString))
	}
}

// join copies both ways until both sides have ended.
func join(client, server *net.TCPConn) {
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

// doorman judges the first packet of native clients.
type doorman struct {
	users    []User
	metadata string // the engine's folder with a file for each database
}

// screen lets through a whole packet with a known user, the right password and
// a database that exists.
func (d doorman) screen(in *bufio.Reader) ([]byte, error) {
	h, raw, err := readHello(in)
	switch {
	case err != nil:
		return nil, exception{unexpectedPacket, "unexpected packet from client: " + err.Error()}
	case !d.knows(h.user):
		return nil, exception{authenticationFailed, h.user.Name +
			": Authentication failed: password is incorrect, or there is no user with such name"}
	case !d.has(h.database):
		return nil, exception{unknownDatabase, "Database " + h.database + " does not exist"}
	}
	return raw, nil
}

func (d doorman) knows(u User) bool {
	i := slices.IndexFunc(d.users, func(known User) bool { return known.Name == u.Name })
	return i >= 0 && subtle.ConstantTimeCompare([]byte(d.users[i].Password), []byte(u.Password)) == 1
}

// has reports whether a client may begin in the database. The engine writes
// other characters than these into file names in a form of its own; a database
// with such a name can be used, but not begun in.
func (d doorman) has(database string) bool {
	if slices.Contains([]string{"", "default", "system", "information_schema", "INFORMATION_SCHEMA"}, database) {
		return true
	}
	for _, c := range database {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	_, err := os.Stat(filepath.Join(d.metadata, database+".sql"))
	return err == nil
}
