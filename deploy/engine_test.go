package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ebitengine/purego"

	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// The engine of these tests is the embedded one's library with the two files of
// deploy/clickhouse where an operator puts them, and none of the templates of
// internal/embedded: what it lets an account do, a server does.

// password of every account, as the server's environment would hold it.
const password = "a password of the tests"

var accounts = []string{"ASSAY_ADMIN_PASSWORD", "ASSAY_WRITER_PASSWORD", "ASSAY_READER_PASSWORD", "ASSAY_DICTIONARY_PASSWORD", "ASSAY_BACKUP_PASSWORD"}

// A process with these in its environment is no run of the tests but the engine.
const (
	engineLibrary = "ASSAY_DEPLOY_TEST_LIBRARY"
	enginePort    = "ASSAY_DEPLOY_TEST_PORT"
)

// engine is shared by the tests of this binary.
var engine struct {
	once sync.Once
	addr string
	err  error
	stop func()
}

// clickhouse starts the engine with the deployment's files and returns its
// address.
func clickhouse(t *testing.T) string {
	t.Helper()
	library := embeddedtest.Library(t)
	engine.once.Do(func() { engine.addr, engine.stop, engine.err = startEngine(library) })
	if engine.err != nil {
		t.Fatal(engine.err)
	}
	return engine.addr
}

func stopEngine() {
	if engine.stop != nil {
		engine.stop()
	}
}

func startEngine(library string) (addr string, stop func(), err error) {
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	return startEngineOn(library, port, nil)
}

// startEngineOn starts one at a port, with more files; replaced are texts in all files
// with what stands in their place, in pairs.
func startEngineOn(library, port string, more map[string]string, replaced ...string) (addr string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "assay-deploy-")
	if err != nil {
		return "", nil, err
	}
	files := map[string]string{
		"testdata/engine/server.xml": "config.xml",
		"testdata/engine/users.xml":  "users.xml",
		"clickhouse/config.xml":      "config.d/assay.xml",
		"clickhouse/users.xml":       "users.d/assay.xml",
	}
	maps.Copy(files, more)
	for from, to := range files {
		if err := copyFile(from, filepath.Join(dir, to), append([]string{"/var/lib/clickhouse/", dir + "/"}, replaced...)...); err != nil {
			return "", nil, err
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), engineLibrary+"="+library, enginePort+"="+port)
	for _, name := range append(accounts, "ASSAY_CLUSTER_PASSWORD") {
		cmd.Env = append(cmd.Env, name+"="+password)
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	output, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		return "", nil, err
	}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = input.Close()
		_ = cmd.Wait() // it exits when its input closes, with no code of interest
		_ = os.RemoveAll(dir)
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		stop()
		return "", nil, err
	}
	go relay(front, "127.0.0.1:"+port)
	addr = front.Addr().String()
	if err := makeDatabase(addr); err != nil {
		said, _ := os.ReadFile(output.Name())
		stop()
		return "", nil, fmt.Errorf("the engine does not start with the deployment's files: %w\n%s", err, said)
	}
	return addr, stop, nil
}

// relay keeps resets from the library, which dies of one: towards the engine
// every connection ends in order, whatever the client did. A server needs none.
func relay(front net.Listener, engine string) {
	for {
		client, err := front.Accept()
		if err != nil {
			return // never: it is open until the process ends
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("tcp", engine)
			if err != nil {
				return // not up yet
			}
			defer server.Close()
			go func() {
				_, _ = io.Copy(server, client)
				_ = server.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(client, server)
			_, _ = io.Copy(io.Discard, server)
		}()
	}
}

// makeDatabase waits until the engine lets the admin in, who then makes the
// database: the library dies of a login that names one that isn't there, which a
// server refuses.
func makeDatabase(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := dial(addr, "assay_admin", "default")
	if err != nil {
		return err
	}
	defer conn.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := conn.Exec(ctx, "CREATE DATABASE assay")
		var refused *driver.Exception
		if err == nil || errors.As(err, &refused) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func dial(addr, user, database string) (native.Conn, error) {
	return driver.Open(&driver.Options{
		Addr: []string{addr}, Auth: driver.Auth{Database: database, Username: user, Password: password},
	})
}

// as connects as an account until the test ends.
func as(t *testing.T, addr, user string) native.Conn {
	t.Helper()
	conn, err := dial(addr, user, "assay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// copyFile copies a file, with some texts replaced by others, in pairs.
func copyFile(from, to string, replaced ...string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, []byte(strings.NewReplacer(replaced...).Replace(string(b))), 0o600)
}

// beEngineIfAsked turns this process into the engine and then never returns.
func beEngineIfAsked() {
	library := os.Getenv(engineLibrary)
	if library == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var run func(argc int32, argv **byte) int32
	purego.RegisterLibFunc(&run, handle, "chdb_query_cmdline")
	args := []string{
		"clickhouse", "--path=data", "--config-file=config.xml", "--listen_host=127.0.0.1",
		"--tcp_port=" + os.Getenv(enginePort), "--query",
		"SYSTEM START LISTEN TCP; SELECT max(sleepEachRow(1)) FROM numbers(10000000) " +
			"SETTINGS function_sleep_max_microseconds_per_block=0, max_block_size=1, max_threads=1",
	}
	argv := make([]*byte, len(args)+1)
	for i, arg := range args {
		argv[i] = &append([]byte(arg), 0)[0]
	}
	run(int32(len(args)), &argv[0])
	fmt.Fprintln(os.Stderr, "the engine ended")
	os.Exit(1)
}
