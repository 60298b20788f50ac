package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Account is a ClickHouse user.
type Account struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Endpoints say where the parts of a process are. A running `assay run` leaves
// them in its data folder (mode 0600: they hold passwords of the embedded engine).
type Endpoints struct {
	Kafka      []string `json:"kafka"`
	ClickHouse []string `json:"clickhouse"`
	HTTP       string   `json:"clickhouse_http,omitempty"`
	Web        string   `json:"web,omitempty"`
	Admin      Account  `json:"admin"`
	Writer     Account  `json:"writer"`
	Reader     Account  `json:"reader"`
	Backup     Account  `json:"backup"`
	Pid        int      `json:"pid"`
	EnginePid  int      `json:"engine_pid"`
}

// fillFrom takes from another what this one lacks.
func (e *Endpoints) fillFrom(other Endpoints) {
	if len(e.Kafka) == 0 {
		e.Kafka = other.Kafka
	}
	if len(e.ClickHouse) == 0 {
		e.ClickHouse, e.HTTP = other.ClickHouse, other.HTTP
		e.Admin, e.Writer, e.Reader, e.Backup = other.Admin, other.Writer, other.Reader, other.Backup
	}
	e.Web = other.Web
}

func endpointsFile(data string) string { return filepath.Join(data, "endpoints.json") }

// write replaces the file at once, so that a reader never sees half of it.
func (e Endpoints) write(data string) error {
	e.Pid = os.Getpid()
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("encode endpoints: %w", err)
	}
	if err := replaceFile(endpointsFile(data), b, 0o700, 0o600); err != nil {
		return fmt.Errorf("write endpoints: %w", err)
	}
	return nil
}

func removeEndpoints(data string) error {
	if err := os.Remove(endpointsFile(data)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove endpoints: %w", err)
	}
	return nil
}

// runningEndpoints returns what a running process left in the data folder. A note
// of a process that died is recognised by its engine not answering.
func runningEndpoints(ctx context.Context, data string) (Endpoints, bool) {
	var e Endpoints
	b, err := os.ReadFile(endpointsFile(data))
	if err != nil || json.Unmarshal(b, &e) != nil || len(e.ClickHouse) == 0 {
		return e, false
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "tcp", e.ClickHouse[0])
	if err != nil {
		return e, false
	}
	_ = conn.Close() // only the answer matters
	return e, true
}

func tlsConfig() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
