package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a program that was started. A nil one has ended.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

// Start starts a command whose output is added to a file.
func Start(cmd *exec.Cmd, log string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", cmd.Path, err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	withParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // one that was killed says so
		close(p.ended)
	}()
	return p, nil
}

// Running tells whether the process is there, frozen or not.
func (p *Process) Running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Pid is the process id, 0 when it has ended.
func (p *Process) Pid() int {
	if !p.Running() {
		return 0
	}
	return p.cmd.Process.Pid
}

// Signal sends a signal; one to a process that has ended goes nowhere.
func (p *Process) Signal(s syscall.Signal) {
	if p.Running() {
		_ = p.cmd.Process.Signal(s) // it may end at this moment
	}
}

// Kill ends the process with -9 and waits until it is gone.
func (p *Process) Kill() {
	if p == nil {
		return
	}
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Stop asks the process to end with a signal, and kills it after a time.
func (p *Process) Stop(s syscall.Signal, most time.Duration) {
	if p == nil {
		return
	}
	p.Signal(s)
	select {
	case <-p.ended:
	case <-time.After(most):
		p.Kill()
	}
}

// Await asks again and again until the process is ready, has ended, or the context
// does.
func (p *Process) Await(ctx context.Context, ready func(context.Context) error) error {
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if !p.Running() {
			return errors.New("the server ended")
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("the server is not ready"), err, ctx.Err())
		case <-tick.C:
		}
	}
}

// Ports finds ports of 127.0.0.1 that nobody has; all are held until all are
// found. Somebody may take one before it is used: a start that fails is to be
// tried again with others.
func Ports(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// Tail is the end of what a process wrote to its file.
func Tail(log string) string {
	const most = 4000
	text, err := os.ReadFile(log)
	if err != nil {
		return ""
	}
	return string(text[max(0, len(text)-most):])
}
