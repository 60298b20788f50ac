package embedded

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The first packets of ClickHouse's native protocol, as far as the relay and
// the probe need them.
const (
	clientHello     = 0
	clientPing      = 4
	serverHello     = 0
	serverException = 2
	serverPong      = 4

	longestString = 1 << 16 // bytes; a name or a password is far shorter
)

var errNotHello = errors.New("not a hello packet")

// hello is the packet that a client begins with.
type hello struct {
	client                 string
	major, minor, revision uint64
	database               string
	user                   User
}

// readHello reads the packet and also returns its bytes.
func readHello(in *bufio.Reader) (h hello, raw []byte, err error) {
	r := recorder{in: in}
	kind := r.uvarint()
	if r.err == nil && kind != clientHello {
		return h, r.raw, errNotHello
	}
	h.client = r.string()
	h.major, h.minor, h.revision = r.uvarint(), r.uvarint(), r.uvarint()
	h.database = r.string()
	h.user = User{Name: r.string(), Password: r.string()}
	return h, r.raw, r.err
}

func (h hello) encode() []byte {
	p := binary.AppendUvarint(nil, clientHello)
	p = appendString(p, h.client)
	p = binary.AppendUvarint(p, h.major)
	p = binary.AppendUvarint(p, h.minor)
	p = binary.AppendUvarint(p, h.revision)
	p = appendString(p, h.database)
	p = appendString(p, h.user.Name)
	return appendString(p, h.user.Password)
}

// exception is how the server refuses.
type exception struct {
	code int32
	text string
}

func (e exception) Error() string { return fmt.Sprintf("exception %d: %s", e.code, e.text) }

func (e exception) encode() []byte {
	p := binary.AppendUvarint(nil, serverException)
	p = binary.LittleEndian.AppendUint32(p, uint32(e.code))
	p = appendString(p, "DB::Exception")
	p = appendString(p, "DB::Exception: "+e.text)
	p = appendString(p, "") // stack trace
	return append(p, 0)     // no nested exception
}

func appendString(p []byte, s string) []byte {
	return append(binary.AppendUvarint(p, uint64(len(s))), s...)
}

// recorder reads the protocol's two types, keeps what it read and the first
// error, and after that reads nothing.
type recorder struct {
	in  *bufio.Reader
	raw []byte
	err error
}

func (r *recorder) ReadByte() (byte, error) {
	b, err := r.in.ReadByte()
	if err == nil {
		r.raw = append(r.raw, b)
	}
	return b, err
}

func (r *recorder) uvarint() (n uint64) {
	if r.err == nil {
		n, r.err = binary.ReadUvarint(r)
	}
	return n
}

func (r *recorder) bytes(n uint64) []byte {
	if r.err == nil && n > longestString {
		r.err = fmt.Errorf("string of %d bytes", n)
	}
	if r.err != nil {
		return nil
	}
	b := make([]byte, n)
	_, r.err = io.ReadFull(r.in, b)
	r.raw = append(r.raw, b...)
	return b
}

func (r *recorder) string() string { return string(r.bytes(r.uvarint())) }
