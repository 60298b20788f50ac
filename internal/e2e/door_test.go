package e2e

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/assay-dev/assay/sql"
)

// A process that is killed with -9 leaves nothing behind but what it has sent. So
// two moments of its death can be told apart only if a message lies between
// them, and whoever stands on the wire can kill it at every moment that there is.
// A door is who stands there, between one consumer and ClickHouse. The binary
// that ships needs no fail points for that, and has none.

// instant is where in a statement's life a consumer dies.
type instant int

const (
	before   instant = iota // the statement does not reach the server
	begun                   // the server has the statement and waits for rows
	torn                    // the server has half of the rows' bytes
	sent                    // the server has all rows; nobody has its answer
	answered                // the server has answered; the answer is lost
)

var instants = []string{"before", "begun", "torn", "sent", "answered"}

func (m instant) String() string { return instants[m] }

// statements are those of a consumer by what stands in their text.
var statements = map[string][]byte{
	"events":  []byte("INSERT INTO events"),
	"dead":    []byte("INSERT INTO dead_letters"),
	"ledger":  []byte("INSERT INTO ledger"),
	"near":    queryText("near_mark"),
	"chain":   queryText("chain_faults"),
	"mark":    queryText("last_mark"),
	"topics":  queryText("mark_topics"),
	"missing": queryText("missing"),
	"run":     queryText("server_run"),
	"units":   queryText("units_stored"),
	"recall":  queryText("events_of"),
	"version": queryText("version_at"),
}

// queryText is enough of a stored query to know it by.
func queryText(name string) []byte {
	b, err := sql.Queries.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return b[:min(len(b), 60)]
}

// door passes on what a consumer and ClickHouse say, until the moment comes.
type door struct {
	ln    net.Listener
	to    string
	aim   aim
	ready chan struct{} // closed when act may be called
	act   func()

	mu    sync.Mutex
	count int  // statements seen
	done  bool // the moment has come
	delay time.Duration
	dark  bool // nobody comes through
	open  map[*crossing]bool
}

// aim says which moment that is.
type aim struct {
	statement string // empty: none
	instant   instant
	nth       int  // from 1
	again     bool // every nth time, not once
	keep      bool // the connection goes on afterwards
}

// openDoor listens for the process to come. What happens at the moment is told
// with guard.
func openDoor(to string, a aim) (*door, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &door{ln: ln, to: to, aim: a, ready: make(chan struct{})}
	go d.serve()
	return d, nil
}

func (d *door) addr() string { return d.ln.Addr().String() }

// guard says what is to be done at the moment, besides closing the connection.
func (d *door) guard(act func()) {
	d.act = act
	close(d.ready)
}

func (d *door) close() { d.ln.Close() }

// hit tells whether the moment has come.
func (d *door) hit() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done
}

// slow holds up everything that is said from now on.
func (d *door) slow(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = by
}

func (d *door) serve() {
	for {
		client, err := d.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp4", d.to)
		if err != nil {
			client.Close()
			continue
		}
		c := &crossing{door: d, client: client, server: server}
		if !d.enter(c) {
			c.cut()
			continue
		}
		go c.pass(client, server, c.asks)
		go c.pass(server, client, c.answers)
	}
}

// darken cuts all connections, and lets nobody through until it is ended.
func (d *door) darken(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dark = yes
	for c := range d.open {
		if yes {
			c.cut()
		}
	}
	clear(d.open)
}

// enter tells whether a connection may come through.
func (d *door) enter(c *crossing) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dark {
		return false
	}
	if d.open == nil {
		d.open = map[*crossing]bool{}
	}
	d.open[c] = true
	return true
}

// crossing is one connection. The native protocol has one statement at a time.
type crossing struct {
	door           *door
	client, server net.Conn

	mu    sync.Mutex
	stage stage
}

type stage int

const (
	elsewhere stage = iota // another statement
	asked                  // ours has gone to the server
	invited                // the server has said something to it
	telling                // the client has sent rows
)

func (c *crossing) cut() {
	c.client.Close()
	c.server.Close()
}

// pass copies one way. Look says how many of the bytes come before the moment, if
// it has come.
func (c *crossing) pass(from, to net.Conn, look func([]byte) (early int, now bool)) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			c.door.mu.Lock()
			delay := c.door.delay
			c.door.mu.Unlock()
			time.Sleep(delay)
			early, now := look(buffer[:n])
			if _, err := to.Write(buffer[:early]); err != nil {
				return
			}
			if now {
				<-c.door.ready
				c.door.act()
				if !c.door.aim.keep {
					return
				}
			}
			if _, err := to.Write(buffer[early:n]); err != nil {
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, from)
			}
			return
		}
	}
}

// asks looks at what the client says.
func (c *crossing) asks(b []byte) (early int, now bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.door.aim.instant
	if c.door.aim.statement == "" {
		return len(b), false
	}
	if bytes.Contains(b, statements[c.door.aim.statement]) && c.door.take() {
		c.stage = asked
		switch m {
		case before:
			if c.door.strike() {
				return 0, true
			}
		case begun:
			return len(b), c.door.strike()
		}
		return len(b), false
	}
	if c.stage != invited && c.stage != telling {
		return len(b), false
	}
	c.stage = telling
	switch {
	case m == torn && c.door.strike():
		return len(b) / 2, true
	case m == sent && c.door.strike(): // small parts are one message
		return len(b), true
	}
	return len(b), false
}

// answers looks at what the server says.
func (c *crossing) answers(b []byte) (early int, now bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	insert := c.door.aim.statement == "events" || c.door.aim.statement == "dead" || c.door.aim.statement == "ledger"
	switch {
	case c.stage == asked && insert:
		c.stage = invited
	case c.stage == asked || c.stage == telling:
		c.stage = elsewhere
		if c.door.aim.instant == answered && c.door.strike() {
			return 0, true
		}
	}
	return len(b), false
}

// take counts a statement and tells whether it is the one.
func (d *door) take() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	if d.aim.again {
		return d.count%d.aim.nth == 0
	}
	return d.count == d.aim.nth
}

// strike tells whether the moment is now.
func (d *door) strike() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done && !d.aim.again {
		return false
	}
	d.done = true
	return true
}
