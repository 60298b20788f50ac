package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/assay-dev/assay/internal/app" // the binary's parts: a change in them is a reason to test again
	"github.com/assay-dev/assay/internal/embedded"
)

var (
	seedFlag = flag.Uint64("e2e.seed", 0, "of everything random; 0 takes one from the clock, or in CI from the commit")
	fromFlag = flag.String("e2e.from", "", "commit that a rolling restart begins with; empty: the one before")
	longFlag = flag.Int("e2e.long", 1, "multiplies the work of the tests that take long")
)

// suite is what all tests share: TestMain and they have nothing else in common.
var suite struct {
	binary string
	dir    string
	engine *embedded.ClickHouse
	err    error // why there is no engine
	toll   toll  // of all attacks
	flags  unleashed
}

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	flag.Parse()
	code, err := runSuite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// runSuite builds the binary and starts the shared engine around the tests.
func runSuite(m *testing.M) (code int, err error) {
	if suite.dir, err = os.MkdirTemp("", "assay-e2e-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(suite.dir)
	suite.binary = filepath.Join(suite.dir, "assay")
	began := time.Now()
	build := exec.Command("go", "build", "-o", suite.binary, "github.com/assay-dev/assay/cmd/assay")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the binary: %w\n%s", err, out)
	}
	if testing.Verbose() {
		fmt.Printf("built in %v\n", time.Since(began).Round(time.Millisecond))
	}
	suite.engine, suite.err = startEngine(filepath.Join(suite.dir, "clickhouse"))
	code = m.Run()
	suite.flags.close()
	if suite.toll.count("consumers killed") > 0 && testing.Verbose() {
		fmt.Printf("chaos altogether: %v\n", &suite.toll)
	}
	if suite.engine == nil {
		return code, nil
	}
	return code, suite.engine.Close()
}

func startEngine(dir string) (*embedded.ClickHouse, error) {
	return embedded.StartClickHouse(context.Background(), embedded.ClickHouseConfig{Dir: dir})
}
