package realunleash

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/peer"
)

// Server is a running Unleash.
type Server struct {
	URL string
	// BackendToken is what a product's SDK asks with.
	BackendToken string
	AdminToken   string // may do everything

	programs Programs
	dir      string
	database *database
	process  *peer.Process
}

const (
	startTimeout = 2 * time.Minute // a busy machine
	startTries   = 3               // ports were free a moment before
)

// Start starts a server and returns when it answers. The context bounds the
// start only.
func Start(ctx context.Context, p Programs) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	for range startTries {
		s := &Server{programs: p, AdminToken: "*:*.admin-of-the-tests", BackendToken: "default:" + Environment + ".backend-of-the-tests"}
		if err = s.start(ctx); err == nil {
			return s, nil
		}
		err = fmt.Errorf("start unleash: %w\n%s", err, s.Said())
		s.Close()
	}
	return nil, err
}

func (s *Server) start(ctx context.Context) error {
	ports, err := peer.Ports(2)
	if err != nil {
		return err
	}
	// Not below a test's folder, which PostgreSQL's user may not enter.
	if s.dir, err = os.MkdirTemp("", "assay-unleash-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	s.database = &database{bin: s.programs.Postgres, dir: s.dir, port: ports[0]}
	if err := s.database.start(ctx); err != nil {
		return err
	}
	cmd := exec.Command("node", filepath.Join(s.programs.Modules, "unleash-server", "dist", "server.js"))
	cmd.Dir, cmd.Env = s.dir, s.environment(ports[1])
	if s.process, err = peer.Start(cmd, s.log()); err != nil {
		return err
	}
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	return s.process.Await(ctx, func(ctx context.Context) error { return s.call(ctx, http.MethodGet, "/health", nil, nil) })
}

// environment is the server's whole one: it is to find nothing else.
func (s *Server) environment(port int) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TZ=UTC", "NODE_ENV=production", "LOG_LEVEL=warn",
		"DATABASE_HOST=127.0.0.1", "DATABASE_PORT=" + strconv.Itoa(s.database.port), "DATABASE_NAME=postgres",
		"DATABASE_USERNAME=" + databaseUser, "DATABASE_PASSWORD=none", "DATABASE_SSL=false",
		"HTTP_HOST=127.0.0.1", "PORT=" + strconv.Itoa(port),
		"CHECK_VERSION=false", "SEND_TELEMETRY=false", "SCARF_ANALYTICS=false",
		"INIT_ADMIN_API_TOKENS=" + s.AdminToken, "INIT_BACKEND_API_TOKENS=" + s.BackendToken,
	}
}

// Close ends the server and its database and removes their files.
func (s *Server) Close() {
	s.process.Stop(syscall.SIGTERM, 10*time.Second)
	if s.database != nil {
		s.database.stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // what stays of a temporary folder harms nobody
	}
}

func (s *Server) log() string { return filepath.Join(s.dir, "unleash.log") }

// Said is the end of what the server and its database wrote.
func (s *Server) Said() string {
	said := peer.Tail(s.log())
	if s.database != nil {
		said += peer.Tail(s.database.log())
	}
	return said
}
