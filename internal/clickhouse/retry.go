package clickhouse

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

const (
	firstPause = 20 * time.Millisecond
	longPause  = 2 * time.Second
)

// violatedConstraint is the code of VIOLATED_CONSTRAINT.
const violatedConstraint = 469

// noSuchTable is the code of UNKNOWN_TABLE.
const noSuchTable = 60

// allConnectionTriesFailed is the code of ALL_CONNECTION_TRIES_FAILED.
const allConnectionTriesFailed = 279

// passing are the exceptions that say nothing about the statement: the server is
// busy, restarting, or has lost another one.
var passing = map[int32]string{
	32:  "ATTEMPT_TO_READ_AFTER_EOF",
	101: "UNEXPECTED_PACKET_FROM_CLIENT",
	159: "TIMEOUT_EXCEEDED",
	202: "TOO_MANY_SIMULTANEOUS_QUERIES",
	209: "SOCKET_TIMEOUT",
	210: "NETWORK_ERROR",
	236: "ABORTED",
	241: "MEMORY_LIMIT_EXCEEDED",
	242: "TABLE_IS_READ_ONLY",
	252: "TOO_MANY_PARTS",
	279: "ALL_CONNECTION_TRIES_FAILED",
	319: "UNKNOWN_STATUS_OF_INSERT",
	394: "QUERY_WAS_CANCELLED",
	425: "SYSTEM_ERROR",
	999: "KEEPER_EXCEPTION",
}

// final is an error after which a thing may not be done again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// Transient tells whether the same statement may succeed later.
func Transient(err error) bool { return err != nil && transient(err) }

// transient is Transient of an error.
func transient(err error) bool {
	if _, ok := errors.AsType[final](err); ok {
		return false
	}
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok {
		_, is := passing[e.Code]
		return is
	}
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, os.ErrDeadlineExceeded,
		context.DeadlineExceeded, clickhouse.ErrAcquireConnTimeout, clickhouse.ErrConnectionClosed,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	// A connection that ends within the server's greeting: the driver keeps the
	// text of that error and not the error.
	return strings.HasSuffix(err.Error(), io.ErrUnexpectedEOF.Error()) || strings.HasSuffix(err.Error(), ": "+io.EOF.Error())
}

// unreachable tells whether a server could not reach a node. It says so to whoever asks
// all nodes, who must not wait for ever.
func unreachable(err error) bool {
	e, ok := errors.AsType[*clickhouse.Exception](err)
	return ok && e.Code == allConnectionTriesFailed
}

// unknownTable tells whether the server does not know the table.
func unknownTable(err error) bool {
	e, ok := errors.AsType[*clickhouse.Exception](err)
	return ok && e.Code == noSuchTable
}

// refused tells whether a constraint of the table refused the insert.
func refused(err error) bool {
	e, ok := errors.AsType[*clickhouse.Exception](err)
	return ok && e.Code == violatedConstraint
}

// retry does a thing that may be done twice until it succeeds, fails for good,
// or ctx ends.
func (db *DB) retry(ctx context.Context, what string, do func(context.Context) error) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := do(ctx)
		if err == nil {
			return nil
		}
		db.failed(ctx, err)
		if unreachable(err) && time.Since(began) > patience {
			return fmt.Errorf("%s: %w: %w", what, ErrNodeAway, err)
		}
		if ctx.Err() != nil || !transient(err) {
			return fmt.Errorf("%s: %w", what, err)
		}
		db.log.WarnContext(ctx, "clickhouse: trying again", "doing", what, "error", err)
		if !sleep(ctx, pause) {
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		}
	}
}

// failed tells who counts of a try. What its context has ended is no failure.
func (db *DB) failed(ctx context.Context, err error) {
	if db.cfg.Failed == nil || ctx.Err() != nil {
		return
	}
	code := int32(0)
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok {
		code = e.Code
	}
	db.cfg.Failed(code)
}

// sleep waits; it returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
