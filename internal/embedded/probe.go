package embedded

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"time"
)

// probeRevision is a protocol old enough that a handshake is one packet each way.
const probeRevision = 54401

// probe logs in at addr and waits for the answer to one ping. It speaks the few
// bytes itself so that this package needs no database client.
func probe(ctx context.Context, addr string, user User) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	first := hello{client: "assay probe", major: 1, revision: probeRevision, user: user}
	if _, err := conn.Write(first.encode()); err != nil {
		return err
	}
	in := &recorder{in: bufio.NewReader(conn)}
	if err := in.expect(serverHello); err != nil {
		return err
	}
	in.string() // name
	for range 3 {
		in.uvarint() // major, minor, revision
	}
	in.string()  // time zone
	in.string()  // display name
	in.uvarint() // patch level
	if in.err != nil {
		return in.err
	}
	if _, err := conn.Write([]byte{clientPing}); err != nil {
		return err
	}
	return in.expect(serverPong)
}

// expect reads a packet number. An exception becomes an error with its text.
func (r *recorder) expect(want uint64) error {
	switch got := r.uvarint(); {
	case r.err != nil:
		return r.err
	case got == want:
		return nil
	case got != serverException:
		return fmt.Errorf("unexpected packet %d", got)
	}
	code := r.bytes(4)
	r.string() // the exception's name
	text := r.string()
	if r.err != nil {
		return r.err
	}
	return exception{code: int32(binary.LittleEndian.Uint32(code)), text: text}
}
