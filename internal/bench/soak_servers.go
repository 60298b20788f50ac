package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/peer"
	"github.com/assay-dev/assay/internal/realkafka"
)

const soakDatabase = "assay_soak"

// soakServers are what an installation rests on: a broker and ClickHouse, each a
// process of its own, with a relay before the latter that can be slow.
type soakServers struct {
	broker *realkafka.Cluster
	engine *embedded.ClickHouse
	relay  *slowRelay
	disk   *soakDisk

	brokerPid atomic.Int64 // 0: it is away
}

func (s *soakServers) addrs() []string { return s.broker.Addrs() }

func (s *soak) startServers(ctx context.Context) (err error) {
	if s.servers.disk, err = newSoakDisk(ctx, filepath.Join(s.dir, "disk"), s.diskBytes(), s.soakOptions.disk); err != nil {
		return err
	}
	if s.servers.engine, err = embedded.StartClickHouse(ctx, embedded.ClickHouseConfig{Dir: filepath.Join(s.servers.disk.dir, "clickhouse")}); err != nil {
		return fmt.Errorf("start ClickHouse: %w", err)
	}
	if s.servers.relay, err = newSlowRelay(ctx, s.servers.engine.Addr()); err != nil {
		return err
	}
	s.servers.broker, err = realkafka.Start(ctx, realkafka.Config{Jars: s.o.jars, Dir: filepath.Join(s.dir, "kafka"), Brokers: 1})
	if err != nil {
		return err
	}
	s.servers.brokerPid.Store(int64(s.servers.broker.Pid(1)))
	b := &bencher{broker: &broker{addrs: s.servers.addrs()}}
	return errors.Join(b.create(ctx, sourceOf(soakExposures, soakOutcomes), s.o.partitions), b.create(ctx, source{"assay.deadletters", "assay.decisions"}, 1))
}

// diskBytes is room for what the run stores, twice over while parts are merged.
func (s *soak) diskBytes() int64 {
	return 2<<30 + int64(float64(s.o.rate)*s.length.Seconds())*100
}

func (s *soakServers) close() error {
	var errs []error
	if s.relay != nil {
		errs = append(errs, s.relay.close())
	}
	if s.broker != nil {
		s.broker.Close()
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	if s.disk != nil {
		errs = append(errs, s.disk.close())
	}
	return errors.Join(errs...)
}

// soakDisk is where ClickHouse's files are: a small disk of its own where the system
// allows that (root on Linux), which can then really be full.
type soakDisk struct {
	dir     string
	what    string
	mounted bool
}

// newSoakDisk makes a file system in a file, or takes a plain folder.
func newSoakDisk(ctx context.Context, dir string, size int64, own bool) (*soakDisk, error) {
	d := &soakDisk{dir: dir, what: "a folder; it is told to keep more free than there is"}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make ClickHouse's folder: %w", err)
	}
	if !own {
		return d, nil
	}
	image := dir + ".image"
	f, err := os.Create(image)
	if err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil { // what is never written takes no room
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1", image}, {"mount", "-o", "loop", image, dir}} {
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		if err != nil && os.Getenv("CI") == "true" {
			return nil, fmt.Errorf("make a small disk, as CI must: %s: %w: %s", command[0], err, out)
		}
		if err != nil {
			d.what = fmt.Sprintf("%s (%s: %v)", d.what, command[0], err)
			return d, nil
		}
	}
	d.mounted, d.what = true, fmt.Sprintf("a file system of %.1f GiB", float64(size)/(1<<30))
	return d, nil
}

func (d *soakDisk) close() error {
	if !d.mounted {
		return nil
	}
	d.mounted = false
	if out, err := exec.CommandContext(context.Background(), "umount", "-l", d.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("unmount ClickHouse's disk: %w: %s", err, out)
	}
	return nil
}

// member is one of assay's processes. A nil process has ended.
type member struct {
	name    string
	args    []string // after --config
	port    int      // of its listen address
	soak    *soak
	mu      sync.Mutex
	process *peer.Process // use running
}

// running is the process at the moment; nil when it has ended.
func (m *member) running() *peer.Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process
}

func (m *member) set(p *peer.Process) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.process = p
}

func (m *member) start() error {
	cmd := exec.CommandContext(context.Background(), m.soak.binary, append([]string{"--config", m.name + ".yaml"}, m.args...)...)
	cmd.Dir = m.soak.dir
	p, err := peer.Start(cmd, m.log())
	m.set(p)
	return err
}

func (m *member) log() string { return filepath.Join(m.soak.dir, m.name+".log") }

func (m *member) kill() {
	m.running().Kill()
	m.set(nil)
}

// stop ends it as an operator does.
func (m *member) stop() error {
	p := m.running()
	if p == nil {
		return nil
	}
	if !p.Running() {
		return fmt.Errorf("%s has ended by itself", m.name)
	}
	p.Stop(sigterm, time.Minute)
	m.set(nil)
	return nil
}

// command runs the binary to its end.
func (s *soak) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Dir = s.dir
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("assay %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return out.String(), nil
}

// said is the end of what each process wrote, for when something is wrong.
func (s *soak) said() string {
	var b strings.Builder
	for name, m := range s.members {
		if text := peer.Tail(m.log()); text != "" {
			fmt.Fprintf(&b, "\n%s said last:\n%s", name, text)
		}
	}
	return b.String()
}

// configure writes the files of an installation on one machine.
func (s *soak) configure() error {
	files := map[string]string{"unit.key": "000102030405060708090a0b0c0d0e0f\n", "switch.secret": "of-the-soak\n"}
	for _, u := range soakUsers(s.servers.engine) {
		files[u.Name+".password"] = u.Password + "\n"
	}
	ports, err := peer.Ports(6)
	if err != nil {
		return err
	}
	writer := s.servers.engine.Writer().Name
	for i, m := range []*member{{name: "ingest-1"}, {name: "ingest-2"}, {name: "ingest-3"}, {name: "guard-1"}, {name: "guard-2"}, {name: "serve"}} {
		m.args, m.port, m.soak = []string{strings.Split(m.name, "-")[0]}, ports[i], s
		s.members[m.name] = m
		files[m.name+".yaml"] = s.yaml(m, s.servers.relay.addr(), writer)
	}
	admin := s.servers.engine.Admin().Name
	files["admin.yaml"] = s.yaml(&member{name: "admin", soak: s}, s.servers.engine.Addr(), admin)
	for _, f := range append(s.trials.files(), soakFiles()...) {
		files[f.Name] = string(f.Data)
	}
	for name, text := range files {
		file := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write a file: %w", err)
		}
	}
	return nil
}

func (s *soak) yaml(m *member, clickhouse, user string) string {
	return fmt.Sprintf(`listen: 127.0.0.1:%d
data: data-%s
memory: %s
kafka:
  brokers: [%q]
  topics: [{name: %s}, {name: %s}]
clickhouse:
  addresses: [%q]
  database: %s
  user: %s
  password: {file: %s}
privacy:
  unit_key: {file: unit.key}
  attributes: [%s]
guard: {instance: %s, kills_per_hour: 1000000}
switches:
  flags:
    webhook:
      url: %s/{flag}/off
      secret: {file: switch.secret}
      read_back: {url: "%[13]s/{flag}", path: "on", off: "false"}
`, m.port, m.name, s.soakOptions.memory, s.servers.addrs()[0], soakExposures, soakOutcomes, clickhouse, soakDatabase, user, user+".password",
		strings.Join(attributes, ", "), m.name, s.calls.url)
}

func cores() int { return runtime.NumCPU() }
