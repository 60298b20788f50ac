package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	firstPause  = 50 * time.Millisecond
	longPause   = 5 * time.Second
	stopTimeout = 2 * time.Second
	tailBytes   = 2000
)

// sockets are the addresses of the engine, held by the parent for as long as it
// lives and handed to each child in turn.
type sockets struct {
	native, http *net.TCPListener
}

func openSockets(cfg ClickHouseConfig) (s sockets, err error) {
	if s.native, err = listen(cfg.Port); err != nil {
		return s, err
	}
	if cfg.HTTP {
		s.http, err = listen(cfg.HTTPPort)
	}
	return s, err
}

func listen(port int) (*net.TCPListener, error) {
	return net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
}

// files duplicates the sockets for a child; the caller closes the files.
func (s sockets) files() ([]*os.File, error) {
	var files []*os.File
	for _, ln := range []*net.TCPListener{s.native, s.http} {
		if ln == nil {
			continue
		}
		f, err := ln.File()
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (s sockets) close() error {
	var errs []error
	for _, ln := range []*net.TCPListener{s.native, s.http} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	return errors.Join(errs...)
}

// process is one child.
type process struct {
	cmd   *exec.Cmd
	input io.Closer     // closing it is the order to end
	ended chan struct{} // closed when the process is gone
}

// spawn starts a child that serves the sockets.
func (c *ClickHouse) spawn() (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r, err := roomOf(c.cfg.Dir)
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(c.outputFile(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	inherited, err := c.listeners.files()
	defer closeAll(inherited)
	if err != nil {
		return nil, err
	}

	cmd := exec.Command(exe)
	cmd.Env = childEnvironment()
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = inherited
	// A group of its own: Ctrl-C on the terminal is for the parent, which then
	// stops its clients first and the engine last.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, input: input, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended stands in cmd.ProcessState
		close(p.ended)
	}()
	spec := childSpec{
		Library:  c.cfg.Library,
		HTTP:     c.cfg.HTTP,
		Settings: settings{Dir: c.cfg.Dir, Memory: c.cfg.Memory, Reserve: r.reserve(), KeepMerged: int(c.cfg.KeepMerged.Seconds()), Users: c.users},
	}
	if cluster := c.cfg.Cluster; cluster != nil {
		spec.Settings.Cluster, spec.Settings.Nodes = cluster.Name, cluster.nodes()
	}
	if err := json.NewEncoder(input).Encode(spec); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// childEnvironment is what the engine needs of ours. Tokens and the like stay
// behind: SQL can read /proc/self/environ, see [ClickHouse.Reader].
func childEnvironment() []string {
	env := []string{childMarker + "=1"}
	for _, name := range []string{"LD_LIBRARY_PATH", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// end orders the child to end and waits for it, by force if it must be.
func (p *process) end() {
	_ = p.input.Close()
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// launch starts a child and waits until it answers.
func (c *ClickHouse) launch(ctx context.Context) (*process, error) {
	began := time.Now()
	p, err := c.spawn()
	if err != nil {
		return nil, err
	}
	ready := make(chan error, 1)
	probing, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { ready <- probe(probing, c.Addr(), c.users.Admin) }()
	select {
	case err = <-ready:
	case <-p.ended:
		err = fmt.Errorf("it ended at once (%s): %s", p.cmd.ProcessState, c.lastOutput())
	}
	if err != nil {
		p.end()
		return nil, err
	}
	c.pid.Store(int64(p.cmd.Process.Pid))
	c.cfg.Logger.Info("engine ready", "pid", c.Pid(), "addr", c.Addr(), "took", time.Since(began))
	return p, nil
}

// supervise replaces the child whenever it ends, until life does.
func (c *ClickHouse) supervise(life context.Context, p *process) {
	defer close(c.done)
	for {
		if !c.awaitEnd(life, p) {
			p.end()
			return
		}
		c.pid.Store(0)
		c.cfg.Logger.Error("engine died", "state", p.cmd.ProcessState.String(), "output", c.lastOutput())
		if p = c.relaunch(life); p == nil {
			return
		}
		c.restarts.Add(1)
	}
}

// relaunch tries until a child answers; it returns nil when life has ended.
func (c *ClickHouse) relaunch(life context.Context) *process {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		select {
		case <-life.Done():
			return nil
		case <-time.After(pause):
		}
		if !c.awaitRoom(life) {
			return nil
		}
		ctx, cancel := context.WithTimeout(life, startTimeout)
		p, err := c.launch(ctx)
		cancel()
		if err == nil {
			return p
		}
		c.cfg.Logger.Error("engine does not start", "error", err)
	}
}

func (c *ClickHouse) outputFile() string {
	return filepath.Join(c.cfg.Dir, logDir, "output.log")
}

// lastOutput is the end of what the child wrote to its terminal.
func (c *ClickHouse) lastOutput() string {
	b, err := os.ReadFile(c.outputFile())
	if err != nil {
		return err.Error()
	}
	b = bytes.TrimSpace(b)
	if len(b) > tailBytes {
		b = append([]byte("…"), b[len(b)-tailBytes:]...)
	}
	return strconv.Quote(string(b))
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
