package embedded

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestHelloIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := hello{
			client:   rapid.String().Draw(t, "client"),
			major:    rapid.Uint64().Draw(t, "major"),
			minor:    rapid.Uint64().Draw(t, "minor"),
			revision: rapid.Uint64().Draw(t, "revision"),
			database: rapid.String().Draw(t, "database"),
			user:     User{Name: rapid.String().Draw(t, "user"), Password: rapid.String().Draw(t, "password")},
		}
		sent, after := want.encode(), []byte("what follows")
		in := bufio.NewReader(bytes.NewReader(append(sent, after...)))
		got, raw, err := readHello(in)
		if err != nil {
			t.Fatal(err)
		}
		if got != want || !bytes.Equal(raw, sent) {
			t.Errorf("got %+v from %q, want %+v from %q", got, raw, want, sent)
		}
		if rest, _ := io.ReadAll(in); !bytes.Equal(rest, after) {
			t.Errorf("left %q unread, want %q", rest, after)
		}
		cut := rapid.IntRange(0, len(sent)-1).Draw(t, "cut")
		if _, _, err := readHello(bufio.NewReader(bytes.NewReader(sent[:cut]))); err == nil {
			t.Errorf("the first %d of %d bytes are taken for a packet", cut, len(sent))
		}
	})
}

func FuzzReadHello(f *testing.F) {
	f.Add(hello{client: "x", revision: 54401, user: User{Name: "a", Password: "b"}}.encode())
	f.Add([]byte("GET / HTTP/1.0\r\n\r\n"))
	f.Add([]byte("\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		_, raw, err := readHello(bufio.NewReader(bytes.NewReader(sent)))
		if err == nil && !bytes.HasPrefix(sent, raw) {
			t.Errorf("read %q, but %q was sent", raw, sent)
		}
	})
}

func TestDoorman(t *testing.T) {
	metadata := t.TempDir()
	if err := os.WriteFile(filepath.Join(metadata, "assay.sql"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	door := doorman{users: []User{{"admin", "secret"}, {"reader", "other"}}, metadata: metadata}
	tests := map[string]struct {
		user     User
		database string
		want     int32 // code of the refusal, 0 for none
	}{
		"a known user":                 {User{"admin", "secret"}, "", 0},
		"another one in a database":    {User{"reader", "other"}, "assay", 0},
		"a database of the engine's":   {User{"reader", "other"}, "system", 0},
		"a wrong password":             {User{"admin", "Secret"}, "", authenticationFailed},
		"another one's password":       {User{"admin", "other"}, "", authenticationFailed},
		"no password":                  {User{"admin", ""}, "", authenticationFailed},
		"the engine's own account":     {User{"default", ""}, "", authenticationFailed},
		"nobody":                       {User{"", ""}, "", authenticationFailed},
		"an unknown database":          {User{"admin", "secret"}, "nosuch", unknownDatabase},
		"a path instead of a database": {User{"admin", "secret"}, "../metadata/assay", unknownDatabase},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sent := hello{user: test.user, database: test.database}.encode()
			raw, err := door.screen(bufio.NewReader(bytes.NewReader(sent)))
			refusal, _ := errors.AsType[exception](err)
			if refusal.code != test.want {
				t.Errorf("got %v, want code %d", err, test.want)
			}
			if err == nil && !bytes.Equal(raw, sent) {
				t.Errorf("passed on %q, want %q", raw, sent)
			}
		})
	}
}

// A client that resets its connection looks to the engine like one that said
// all and closed, and what the engine writes goes somewhere.
func TestRelayHidesResets(t *testing.T) {
	const answer = 8 << 20 // more than the buffers of two sockets
	engine := localListener(t)
	front := localListener(t)
	go relay{engine: engine.Addr().String()}.serve(front)

	client, err := net.DialTCP("tcp", nil, front.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	server, err := engine.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	question := make([]byte, len("question"))
	if _, err := io.ReadFull(server, question); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(client.SetLinger(0), client.Close()); err != nil {
		t.Fatal(err)
	}

	rest, err := io.ReadAll(server)
	if diff := cmp.Diff([]byte{}, rest); diff != "" || err != nil {
		t.Errorf("the engine reads %q and %v, want a clean end", rest, err)
	}
	if n, err := server.Write(make([]byte, answer)); err != nil {
		t.Errorf("the engine can write %d of %d bytes: %v", n, answer, err)
	}
}

func localListener(t *testing.T) *net.TCPListener {
	t.Helper()
	ln, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}
