package realalertmanager

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/peer"
)

// Server is a running Alertmanager.
type Server struct {
	URL string

	dir     string
	process *peer.Process
}

// ResolveTimeout is how long the server remembers an alert of which it hears no
// more.
const ResolveTimeout = 3 * time.Second

// configuration groups by what names a matter and waits for nothing, so that a
// test sees each change when it is made.
const configuration = `global: {resolve_timeout: %s}
route: {receiver: test, group_by: [key], group_wait: 50ms, group_interval: 200ms, repeat_interval: 1h}
receivers: [{name: test, webhook_configs: [{url: %q, send_resolved: true}]}]
`

const (
	startTimeout = time.Minute // a busy machine
	startTries   = 3           // the port was free a moment before
)

// Start starts a server with its files in a folder and returns when it is ready.
// The context bounds the start only.
func Start(ctx context.Context, program, dir, receiver string) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, configuration, ResolveTimeout, receiver), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	var err error
	for range startTries {
		s := &Server{dir: dir}
		if err = s.start(ctx, program, config); err == nil {
			return s, nil
		}
		err = fmt.Errorf("start alertmanager: %w\n%s", err, s.Said())
		s.Close()
	}
	return nil, err
}

func (s *Server) start(ctx context.Context, program, config string) error {
	ports, err := peer.Ports(1)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	cmd := exec.Command(program, "--config.file="+config, "--storage.path="+filepath.Join(s.dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address=")
	if s.process, err = peer.Start(cmd, s.log()); err != nil {
		return err
	}
	s.URL = "http://" + address
	return s.process.Await(ctx, func(ctx context.Context) error { return s.get(ctx, "/-/ready", nil) })
}

// Alert is one of GET /api/v2/alerts.
type Alert struct {
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time
	Fingerprint string
	Status      struct{ State string }
}

// Alerts are those that are not over.
func (s *Server) Alerts(ctx context.Context) ([]Alert, error) {
	var out []Alert
	return out, s.get(ctx, "/api/v2/alerts", &out)
}

func (s *Server) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", path, response.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// Close ends the server.
func (s *Server) Close() { s.process.Stop(syscall.SIGTERM, 5*time.Second) }

func (s *Server) log() string { return filepath.Join(s.dir, "alertmanager.log") }

// Said is the end of what the server wrote.
func (s *Server) Said() string { return peer.Tail(s.log()) }
