package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is the shipped binary at work.
type process struct {
	t     *testing.T
	what  string
	cmd   *exec.Cmd
	err   output
	ended chan struct{}
}

// output keeps what a process says; the last of it is shown when something fails.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// begin starts `assay ARGS` in a folder.
func begin(t *testing.T, dir string, stdout *bytes.Buffer, args ...string) *process {
	t.Helper()
	return beginOf(t, suite.binary, dir, stdout, args...)
}

// beginOf is begin of another binary than the one under test.
func beginOf(t *testing.T, binary, dir string, stdout *bytes.Buffer, args ...string) *process {
	t.Helper()
	// What the binary is made of must be seen by the cache of `go test`: the
	// packages by the import in main_test.go, the command by being looked at here.
	if _, err := os.ReadDir("../../cmd/assay"); err != nil {
		t.Fatal(err)
	}
	p, err := launchOf(t, binary, dir, stdout, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.what, tail(p.err.String()))
		}
	})
	return p
}

// launch starts a process that somebody else must end. It may be called by any
// goroutine.
func launch(t *testing.T, dir string, stdout *bytes.Buffer, args ...string) (*process, error) {
	return launchOf(t, suite.binary, dir, stdout, args...)
}

func launchOf(t *testing.T, binary, dir string, stdout *bytes.Buffer, args ...string) (*process, error) {
	p := &process{t: t, what: "assay " + strings.Join(args, " "), cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stderr = dir, &p.err
	p.cmd.Env = append(os.Environ(), "ASSAY_E2E_SECRET=of-the-tests")
	if stdout != nil {
		p.cmd.Stdout = stdout
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended stands in ProcessState
		close(p.ended)
	}()
	return p, nil
}

// kill is kill -9.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// stop asks the process to end and waits for it.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.wait(time.Minute)
	if code := p.code(); code != 0 {
		p.t.Errorf("%s: exit code %d after SIGTERM\n%s", p.what, code, tail(p.err.String()))
	}
}

func (p *process) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
}

// wait waits for the end.
func (p *process) wait(most time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(most):
		// It says where each of its goroutines is, and ends.
		p.signal(syscall.SIGQUIT)
		<-p.ended
		p.t.Fatalf("%s: still running after %v\n%s", p.what, most, tail(p.err.String()))
	}
}

// running tells whether it has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) code() int { return p.cmd.ProcessState.ExitCode() }

func tail(text string) string {
	const most = 20_000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}

// await polls until something holds.
func await(t *testing.T, most time.Duration, what func() string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(most)
	for tick := time.NewTicker(25 * time.Millisecond); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so after %v: %s", most, what())
		}
	}
}

// says is a constant text for await.
func says(text string) func() string { return func() string { return text } }
