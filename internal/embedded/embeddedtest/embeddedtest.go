// Package embeddedtest gives tests the two embedded servers in two lines. A
// package whose tests want ClickHouse has
//
//	func TestMain(m *testing.M) { embeddedtest.Main(m) }
//
// and calls [ClickHouse] in each test; the engine is started by the first of
// them, shared by all, and stopped by Main. Tests keep apart by using a database
// of their own, see [Database].
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/embedded"
)

// shared is the engine of this test binary. It is the package's one variable:
// TestMain and the tests have nothing else in common.
var shared engine

type engine struct {
	once      sync.Once
	server    *embedded.ClickHouse
	dir       string
	err       error
	databases atomic.Int64
}

// Main runs the tests and ends the process with their result. It must be the
// first thing that TestMain does, because the engine is this same executable.
func Main(m *testing.M) {
	embedded.RunChildIfAsked()
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the shared engine:", err)
		code = 1
	}
	os.Exit(code)
}

// Library returns the path of the engine's library. Without one the test is
// skipped, in CI it fails.
func Library(t testing.TB) string {
	t.Helper()
	path, err := embedded.FindLibrary("")
	if err == nil {
		return path
	}
	message := err.Error()
	var missing *embedded.LibraryError
	if errors.As(err, &missing) {
		message += "; " + missing.Hint()
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// ClickHouse returns the engine that all tests of this binary share.
func ClickHouse(t testing.TB) *embedded.ClickHouse {
	t.Helper()
	library := Library(t)
	shared.once.Do(func() { shared.start(library) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// Database returns a name for a database that no other test of this binary
// uses, and that the engine's users have their rights in. It does not make it.
func Database(t testing.TB) string {
	t.Helper()
	return "assay_test_" + strconv.FormatInt(shared.databases.Add(1), 10)
}

// Kafka starts a broker with these topics, all with the same number of
// partitions, in a directory of its own, until the test ends.
func Kafka(t testing.TB, topics []string, partitions int32) *embedded.Kafka {
	t.Helper()
	cfg := embedded.KafkaConfig{Dir: t.TempDir(), Topics: map[string]int32{}}
	for _, topic := range topics {
		cfg.Topics[topic] = partitions
	}
	k, err := embedded.StartKafka(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func (e *engine) start(library string) {
	if e.dir, e.err = os.MkdirTemp("", "assay-engine-"); e.err != nil {
		return
	}
	e.server, e.err = embedded.StartClickHouse(context.Background(),
		embedded.ClickHouseConfig{Dir: e.dir, Library: library, HTTP: true, KeepMerged: time.Second})
}

func (e *engine) stop() error {
	if e.dir == "" {
		return nil
	}
	var err error
	if e.server != nil {
		err = e.server.Close()
	}
	return errors.Join(err, os.RemoveAll(e.dir))
}
