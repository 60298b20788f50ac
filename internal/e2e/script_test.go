package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/assay-dev/assay/internal/testref"
)

// TestCommandLine plays the stories in testdata/script: what people type, what
// they read and the exit code. `assay CODE ARGS…` runs the binary; $ASSAY_YAML names
// a broker and an empty database, for one script to use; $SCENARIOS is the folder
// of guardrail scenarios.
func TestCommandLine(t *testing.T) {
	w := newWorld(t, setting{partitions: 2})
	testscript.Run(t, testscript.Params{
		Dir:  filepath.Join("testdata", "script"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"assay": runAssay},
		Setup: func(e *testscript.Env) error {
			e.Setenv("ASSAY_YAML", w.path("assay.yaml"))
			e.Setenv("SCENARIOS", filepath.Join(testref.Root(t), "guardrails", "testdata", "scenarios"))
			return nil
		},
	})
}

// runAssay runs the binary and holds its exit code against the one expected.
func runAssay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: assay CODE ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(suite.binary, args[1:]...)
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
