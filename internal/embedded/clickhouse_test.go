package embedded_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// Error codes of ClickHouse.
const (
	accessDenied   = 497
	wrongPassword  = 516
	noSuchDatabase = 81
)

func start(t *testing.T, dir string) *embedded.ClickHouse {
	t.Helper()
	embeddedtest.Library(t)
	c, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func open(t *testing.T, c *embedded.ClickHouse, user embedded.User) driver.Conn {
	t.Helper()
	return openIn(t, c, user, "")
}

func openIn(t *testing.T, c *embedded.ClickHouse, user embedded.User, database string) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{c.Addr()},
		Auth: clickhouse.Auth{Database: database, Username: user.Name, Password: user.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func run(t *testing.T, conn driver.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func count(t *testing.T, conn driver.Conn, query string) (n uint64) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func code(err error) int32 {
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok {
		return e.Code
	}
	return 0
}

func TestUsers(t *testing.T) {
	t.Parallel()
	c, db := embeddedtest.ClickHouse(t), embeddedtest.Database(t)
	admin, writer, reader := open(t, c, c.Admin()), open(t, c, c.Writer()), open(t, c, c.Reader())
	run(t, admin, "CREATE DATABASE "+db, "CREATE TABLE "+db+".t (a UInt64) ENGINE = MergeTree ORDER BY a",
		"ALTER TABLE "+db+".t ADD CONSTRAINT c CHECK a < 10")
	run(t, writer, "INSERT INTO "+db+".t VALUES (7)")
	views := strings.Replace(db, "assay", "assay_sql", 1)
	run(t, admin, "CREATE DATABASE "+views, "CREATE VIEW "+views+".v DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT a FROM "+db+".t")
	if got := count(t, reader, "SELECT sum(a) FROM "+views+".v"); got != 7 {
		t.Errorf("reader sees %d, want 7", got)
	}
	run(t, writer, "SELECT query_id FROM system.processes", "SELECT name FROM system.parts")

	for _, test := range []struct {
		name      string
		conn      driver.Conn
		statement string
	}{
		{"reader", reader, "SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')"},
		{"reader", reader, "SELECT * FROM file('/etc/passwd', 'LineAsString')"},
		{"reader", reader, "SELECT * FROM remote('127.0.0.1', '" + db + "', 't')"},
		{"reader", reader, "SELECT * FROM " + db + ".t"},
		{"reader", reader, "SELECT * FROM system.users"},
		{"reader", reader, "SELECT * FROM system.processes"},
		{"reader", reader, "INSERT INTO " + db + ".t VALUES (1)"},
		{"reader", reader, "SYSTEM STOP LISTEN TCP"},
		{"writer", writer, "ALTER TABLE " + db + ".t DROP CONSTRAINT c"},
		{"writer", writer, "DROP TABLE " + db + ".t"},
		{"writer", writer, "CREATE TABLE " + db + ".u (a UInt64) ENGINE = Memory"},
		{"writer", writer, "SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')"},
		{"admin", admin, "CREATE DATABASE elsewhere"},
		{"admin", admin, "CREATE USER somebody"},
	} {
		if err := test.conn.Exec(t.Context(), test.statement); code(err) != accessDenied {
			t.Errorf("%s: %s: got %v, want code %d", test.name, test.statement, err, accessDenied)
		}
	}
}

func TestNobodyElse(t *testing.T) {
	t.Parallel()
	c := embeddedtest.ClickHouse(t)
	for _, user := range []embedded.User{
		{Name: "default"},
		{Name: "reader"},
		{Name: "reader", Password: c.Writer().Password},
		{Name: "dictionary"},
		{Name: "nobody", Password: "x"},
	} {
		if err := open(t, c, user).Ping(t.Context()); code(err) != wrongPassword {
			t.Errorf("%s/%q: got %v, want code %d", user.Name, user.Password, err, wrongPassword)
		}
		status, answer := post(t, c, user, "SELECT file('/etc/passwd')")
		if status < 400 || strings.Contains(answer, "root") {
			t.Errorf("%s/%q over HTTP: got %d %s", user.Name, user.Password, status, answer)
		}
	}
	if status, answer := post(t, c, c.Reader(), "SELECT 42"); status != http.StatusOK || answer != "42\n" {
		t.Errorf("reader over HTTP: got %d %q", status, answer)
	}
}

func post(t *testing.T, c *embedded.ClickHouse, user embedded.User, query string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+c.HTTPAddr(), strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-ClickHouse-User", user.Name)
	request.Header.Set("X-ClickHouse-Key", user.Password)
	response, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// The library aborts about five seconds after what breaks it, so one query
// spans that time.
func TestOutlivesBrokenClients(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	conn := open(t, c, c.Reader())
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		resetAfterHello(t, c)
	}
	for _, first := range []string{"", "\x00", "\x00\x05ab", "GET / HTTP/1.0\r\n\r\n", strings.Repeat("\xff", 50)} {
		sendAndClose(t, c, first)
	}
	lost := openIn(t, c, c.Reader(), "nosuch")
	if err := lost.Ping(t.Context()); code(err) != noSuchDatabase {
		t.Errorf("unknown database: got %v, want code %d", err, noSuchDatabase)
	}
	if err := conn.Exec(t.Context(), "SELECT sleepEachRow(1) FROM numbers(7) SETTINGS max_block_size = 1"); err != nil {
		t.Errorf("query that spans the time of dying: %v", err)
	}
	if c.Restarts() != 0 {
		t.Errorf("the engine died %d times", c.Restarts())
	}
}

// resetAfterHello logs in and goes away as a killed process does.
func resetAfterHello(t *testing.T, c *embedded.ClickHouse) {
	t.Helper()
	conn := dial(t, c)
	name, password := c.Reader().Name, c.Reader().Password
	packet := "\x00\x01x\x01\x00\x81\xa9\x03\x00" + string(rune(len(name))) + name + string(rune(len(password))) + password
	if _, err := io.WriteString(conn, packet); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the engine has begun to answer
		t.Fatal(err)
	}
	if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
		t.Fatal(err)
	}
}

func sendAndClose(t *testing.T, c *embedded.ClickHouse, bytes string) {
	t.Helper()
	conn := dial(t, c)
	defer conn.Close()
	if _, err := io.WriteString(conn, bytes); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn)
}

func dial(t *testing.T, c *embedded.ClickHouse) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func TestRestartsAfterKill(t *testing.T) {
	t.Parallel()
	c := start(t, t.TempDir())
	addr, pid := c.Addr(), c.Pid()
	admin := open(t, c, c.Admin())
	run(t, admin, "CREATE DATABASE assay", "CREATE TABLE assay.t (a UInt64) ENGINE = MergeTree ORDER BY a",
		"INSERT INTO assay.t SELECT number FROM numbers(1000)")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Who connects before the next engine is up waits for it, so this needs no
	// retry: only the connections of the dead one are lost. The table is the writer's.
	if got := count(t, open(t, c, c.Writer()), "SELECT count() FROM assay.t"); got != 1000 {
		t.Errorf("%d rows after the restart, want 1000", got)
	}
	if c.Addr() != addr {
		t.Errorf("address changed from %s to %s", addr, c.Addr())
	}
}

func TestDiesWithParent(t *testing.T) {
	t.Parallel()
	embeddedtest.Library(t)
	dir := t.TempDir()
	parent, addr := startHolder(t, holdClickHouse, dir)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The child holds the other end, and then nobody.
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the engine is alive 5 s after its parent was killed")
	}
	start(t, dir) // and its directory is free
}

// The accounts get new passwords at each start; a dictionary made before keeps
// working, because it names the engine's own credentials and not theirs.
func TestSecondStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir)
	run(t, open(t, first, first.Admin()), "CREATE DATABASE assay",
		"CREATE TABLE assay.t (k UInt64, v UInt64) ENGINE = MergeTree ORDER BY k", "INSERT INTO assay.t VALUES (1, 10)",
		"CREATE DICTIONARY assay.d (k UInt64, v UInt64) PRIMARY KEY k "+
			"SOURCE(CLICKHOUSE(NAME assay_dictionary DB 'assay' TABLE 't')) LAYOUT(DIRECT())",
		"CREATE DICTIONARY assay.nameless (k UInt64, v UInt64) PRIMARY KEY k "+
			"SOURCE(CLICKHOUSE(DB 'assay' TABLE 't')) LAYOUT(DIRECT())")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := start(t, dir)
	if first.Writer() == second.Writer() {
		t.Error("the writer's password is that of the start before")
	}
	writer := open(t, second, second.Writer())
	run(t, writer, "INSERT INTO assay.t VALUES (2, 20)")
	if got := count(t, writer, "SELECT dictGet('assay.d', 'v', 2::UInt64)"); got != 20 {
		t.Errorf("dictionary says %d, want 20", got)
	}
	if err := writer.Exec(t.Context(), "SELECT dictGet('assay.nameless', 'v', 2::UInt64)"); err == nil {
		t.Error("a dictionary without credentials can read")
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	used := t.TempDir()
	start(t, used)
	tests := map[string]struct {
		cfg  embedded.ClickHouseConfig
		want string
	}{
		"no directory":     {embedded.ClickHouseConfig{}, "no directory"},
		"directory in use": {embedded.ClickHouseConfig{Dir: used}, "in use by another process"},
		"missing library":  {embedded.ClickHouseConfig{Dir: t.TempDir(), Library: "/nonexistent/lib.so"}, "/nonexistent/lib.so"},
		"not a library":    {embedded.ClickHouseConfig{Dir: t.TempDir(), Library: "main_test.go"}, "main_test.go"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := embedded.StartClickHouse(t.Context(), test.cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "engine")
	start(t, dir)
	got := map[string]os.FileMode{}
	for _, name := range []string{".", "server.xml", "users.xml"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = info.Mode().Perm()
	}
	want := map[string]os.FileMode{".": 0o700, "server.xml": 0o600, "users.xml": 0o600}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	embeddedtest.Library(t)
	before := goleak.IgnoreCurrent()
	c, err := embedded.StartClickHouse(t.Context(), embedded.ClickHouseConfig{Dir: t.TempDir(), HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	pid := c.Pid()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	goleak.VerifyNone(t, before)
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the engine's process is still there: %v", err)
	}
	if conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.Addr()); err == nil {
		conn.Close()
		t.Error("the engine's address still accepts")
	}
}
