package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// The driver hands out rows one by one, each value through an interface: 1.9 µs
// for a row of events, of which a shard's state has millions. A stream speaks the
// same protocol and hands out the columns of whole blocks.

// streamVersion is the protocol's: the first with parameters. Later ones would
// only add what a stream has no use for, sparse columns among it.
const streamVersion = int(proto.FeatureParameters)

// stream is a connection that answers one query.
type stream struct {
	conn    net.Conn
	read    *proto.Reader
	version int
}

// columns runs a query and calls block after each block has been decoded into
// the results. It is not repeated when it fails.
func (db *DB) columns(ctx context.Context, text string, params args, results proto.Results, block func() error) error {
	s, err := db.dial(ctx)
	if err != nil {
		return err
	}
	defer s.conn.Close()
	// A connection has no other way to be interrupted.
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	err = s.ask(text, params)
	if err == nil {
		err = s.receive(results, block)
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	return err
}

// dial tries the addresses in order and logs in.
func (db *DB) dial(ctx context.Context) (*stream, error) {
	var all []error
	for _, addr := range db.cfg.Addr {
		conn, err := db.connect(ctx, addr)
		if err != nil {
			all = append(all, err)
			continue
		}
		s := &stream{conn: conn, read: proto.NewReader(deadlines{conn}), version: streamVersion}
		if err = s.greet(&db.cfg); err == nil {
			return s, nil
		}
		_ = conn.Close()
		all = append(all, fmt.Errorf("log in at %s: %w", addr, err))
	}
	return nil, errors.Join(all...)
}

func (db *DB) connect(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	if db.cfg.TLS == nil {
		return dialer.DialContext(ctx, "tcp", addr)
	}
	secure := tls.Dialer{NetDialer: &dialer, Config: db.cfg.TLS}
	return secure.DialContext(ctx, "tcp", addr)
}

// deadlines gives each reading the time that the driver gives it.
type deadlines struct{ net.Conn }

func (d deadlines) Read(b []byte) (int, error) {
	if err := d.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
		return 0, err
	}
	return d.Conn.Read(b)
}

func (s *stream) greet(cfg *Config) error {
	var b proto.Buffer
	proto.ClientHello{
		Name: "assay", Major: 1, ProtocolVersion: streamVersion, Database: cfg.Database, User: cfg.User, Password: cfg.Password,
	}.Encode(&b)
	if _, err := s.conn.Write(b.Buf); err != nil {
		return err
	}
	switch code, err := s.packet(); {
	case err != nil:
		return err
	case code == proto.ServerCodeException:
		return s.exception()
	case code != proto.ServerCodeHello:
		return fmt.Errorf("the server answers with packet %d", code)
	}
	var hello proto.ServerHello
	if err := hello.DecodeAware(s.read, s.version); err != nil {
		return err
	}
	s.version = min(s.version, hello.Revision)
	if !proto.FeatureParameters.In(s.version) {
		return errors.New("the server is older than bound parameters")
	}
	b.Reset()
	b.PutString("") // the quota's key
	_, err := s.conn.Write(b.Buf)
	return err
}

// ask sends the query, and that no data comes with it.
func (s *stream) ask(text string, params args) error {
	q := proto.Query{Body: text, Stage: proto.StageComplete, Compression: proto.CompressionDisabled, Info: proto.ClientInfo{
		ProtocolVersion: s.version, Major: 1, Interface: proto.InterfaceTCP, Query: proto.ClientQueryInitial,
		InitialAddress: s.conn.LocalAddr().String(), ClientName: "assay",
	}}
	for name, value := range params {
		q.Parameters = append(q.Parameters, proto.Parameter{Key: name, Value: quote(literal(value))})
	}
	var b proto.Buffer
	q.EncodeAware(&b, s.version)
	proto.ClientCodeData.Encode(&b)
	proto.ClientData{}.EncodeAware(&b, s.version)
	proto.Block{}.EncodeAware(&b, s.version)
	_, err := s.conn.Write(b.Buf)
	return err
}

// literal is a value as the text of a parameter.
func literal(value any) string {
	switch v := value.(type) {
	case uint16:
		return strconv.Itoa(int(v))
	case []int64:
		return list(v, func(n int64) string { return strconv.FormatInt(n, 10) })
	case []string:
		return list(v, quote)
	default:
		return fmt.Sprint(v)
	}
}

func list[T any](values []T, text func(T) string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = text(v)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func (s *stream) packet() (proto.ServerCode, error) {
	n, err := s.read.UVarInt()
	return proto.ServerCode(n), err
}

func (s *stream) exception() error {
	var e proto.Exception
	if err := e.DecodeAware(s.read, s.version); err != nil {
		return err
	}
	return &driver.Exception{Code: int32(e.Code), Name: e.Name, Message: e.Message, StackTrace: e.Stack}
}

// receive takes the answer until its end.
func (s *stream) receive(results proto.Results, block func() error) error {
	for {
		code, err := s.packet()
		if err != nil {
			return err
		}
		switch code {
		case proto.ServerCodeData:
			var rows int
			if rows, err = s.block(results); err == nil && rows > 0 {
				err = block()
			}
		case proto.ServerCodeTotals, proto.ServerCodeExtremes, proto.ServerCodeLog, proto.ServerProfileEvents:
			var ignored proto.Results
			_, err = s.block(ignored.Auto())
		case proto.ServerCodeProgress:
			err = new(proto.Progress).DecodeAware(s.read, s.version)
		case proto.ServerCodeProfile:
			err = new(proto.Profile).DecodeAware(s.read, s.version)
		case proto.ServerCodeTableColumns:
			err = new(proto.TableColumns).DecodeAware(s.read, s.version)
		case proto.ServerCodeException:
			return s.exception()
		case proto.ServerCodeEndOfStream:
			return nil
		default:
			return fmt.Errorf("the server sends packet %d", code)
		}
		if err != nil {
			return err
		}
	}
}

func (s *stream) block(into proto.Result) (rows int, err error) {
	if _, err := s.read.Str(); err != nil { // the name of a temporary table
		return 0, err
	}
	var b proto.Block
	err = b.DecodeBlock(s.read, s.version, into)
	return b.Rows, err
}
