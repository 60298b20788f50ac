package embedded

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Packet numbers of ClickHouse's native protocol, and a revision old enough
// that a handshake is one packet each way.
const (
	clientHello     = 0
	clientPing      = 4
	serverHello     = 0
	serverException = 2
	serverPong      = 4
	probeRevision   = 54401
	longestString   = 1 << 16
)

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

	in := bufio.NewReader(conn)
	if _, err := conn.Write(helloPacket(user)); err != nil {
		return err
	}
	if err := readHello(in); err != nil {
		return err
	}
	if _, err := conn.Write([]byte{clientPing}); err != nil {
		return err
	}
	return expect(in, serverPong)
}

func helloPacket(user User) []byte {
	p := binary.AppendUvarint(nil, clientHello)
	p = appendString(p, "assay probe")
	p = binary.AppendUvarint(p, 1) // version, major and minor
	p = binary.AppendUvarint(p, 0)
	p = binary.AppendUvarint(p, probeRevision)
	p = appendString(p, "") // database
	p = appendString(p, user.Name)
	return appendString(p, user.Password)
}

// readHello reads name, major, minor, revision, time zone, display name and
// patch level.
func readHello(in *bufio.Reader) error {
	if err := expect(in, serverHello); err != nil {
		return err
	}
	_, err := readString(in)
	for range 3 {
		err = errors.Join(err, skipUvarint(in))
	}
	for range 2 {
		_, e := readString(in)
		err = errors.Join(err, e)
	}
	return errors.Join(err, skipUvarint(in))
}

// expect reads a packet number. An exception becomes an error with its text.
func expect(in *bufio.Reader, want uint64) error {
	got, err := binary.ReadUvarint(in)
	if err != nil {
		return err
	}
	if got == want {
		return nil
	}
	if got != serverException {
		return fmt.Errorf("unexpected packet %d", got)
	}
	var code int32
	if err := binary.Read(in, binary.LittleEndian, &code); err != nil {
		return err
	}
	if _, err := readString(in); err != nil { // the exception's name
		return err
	}
	text, err := readString(in)
	return errors.Join(fmt.Errorf("exception %d: %s", code, text), err)
}

func appendString(p []byte, s string) []byte {
	return append(binary.AppendUvarint(p, uint64(len(s))), s...)
}

func skipUvarint(in *bufio.Reader) error {
	_, err := binary.ReadUvarint(in)
	return err
}

func readString(in *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return "", err
	}
	if n > longestString {
		return "", fmt.Errorf("string of %d bytes", n)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(in, b)
	return string(b), err
}
