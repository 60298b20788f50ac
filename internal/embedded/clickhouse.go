package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

const (
	defaultMemory = 4 << 30
	keepMerged    = time.Minute // a kernel writes what is older than half of it
	startTimeout  = 30 * time.Second
	// The engine's own port is chosen by being free a moment before, and an
	// engine whose parent was killed may still be leaving the directory.
	launchTries = 3
)

// ClickHouseConfig says where the engine lives and how it is reached.
type ClickHouseConfig struct {
	// Dir holds the data, logs and configuration of the engine. It is made if
	// it is missing, with access for this user only.
	Dir string
	// Library is the path of libchdb.so; empty means where [FindLibrary] looks.
	Library string
	// Port for the native protocol on 127.0.0.1; 0 takes a free one.
	Port int
	// HTTP also serves the HTTP interface, at HTTPPort (0: a free one).
	HTTP     bool
	HTTPPort int
	// Memory is the most that the engine may use, in bytes; 0 means 4 GiB.
	Memory int64
	// KeepMerged is for how long the engine keeps the files of parts that it has merged
	// into one, in case the one cannot be read after a power cut or a full disk; rows
	// that were deleted are on the disk for so long. 0 means a minute.
	KeepMerged time.Duration
	// Cluster makes the engine one of several; nil: it is alone.
	Cluster *Cluster
	// Logger is told of starts and restarts; nil means nobody is.
	Logger *slog.Logger
}

// ClickHouse is a running engine. Its methods may be called by several
// goroutines at once.
type ClickHouse struct {
	cfg       ClickHouseConfig
	users     users
	listeners sockets
	lock      *os.File

	pid      atomic.Int64
	restarts atomic.Int64
	stop     context.CancelFunc
	done     chan struct{} // closed when the last child has ended
}

// StartClickHouse starts the engine and returns when it answers. The context
// bounds the start only; the engine runs until [ClickHouse.Close].
func StartClickHouse(ctx context.Context, cfg ClickHouseConfig) (*ClickHouse, error) {
	if os.Getenv(childMarker) != "" {
		return nil, errors.New("start engine: this process is an engine: main must call embedded.RunChildIfAsked first")
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	c := &ClickHouse{cfg: cfg, users: newUsers(cfg.Cluster), lock: lock, done: make(chan struct{})}
	if err := c.start(ctx); err != nil {
		_ = c.release() // the start's error is the one that matters
		return nil, fmt.Errorf("start engine: %w", err)
	}
	return c, nil
}

func (cfg ClickHouseConfig) complete() (ClickHouseConfig, error) {
	if cfg.Dir == "" {
		return cfg, errors.New("no directory given")
	}
	var err error
	if cfg.Library, err = FindLibrary(cfg.Library); err != nil {
		return cfg, err
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return cfg, err
	}
	if cfg.Memory == 0 {
		cfg.Memory = defaultMemory
	}
	if cfg.KeepMerged == 0 {
		cfg.KeepMerged = keepMerged
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg, nil
}

func (c *ClickHouse) start(ctx context.Context) error {
	err := os.MkdirAll(filepath.Join(c.cfg.Dir, logDir), 0o700)
	if err != nil {
		return err
	}
	if err := roomToStart(c.cfg.Dir); err != nil {
		return err
	}
	if c.listeners, err = openSockets(c.cfg); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	first, err := c.launch(ctx)
	for try := 1; err != nil && try < launchTries && ctx.Err() == nil; try++ {
		first, err = c.launch(ctx)
	}
	if err != nil {
		return err
	}
	var life context.Context
	life, c.stop = context.WithCancel(context.Background())
	go c.supervise(life, first)
	return nil
}

// Addr is host:port of the native protocol. It stays the same when the engine
// is restarted.
func (c *ClickHouse) Addr() string { return c.listeners.native.Addr().String() }

// HTTPAddr is host:port of the HTTP interface, or empty without one.
func (c *ClickHouse) HTTPAddr() string {
	if c.listeners.http == nil {
		return ""
	}
	return c.listeners.http.Addr().String()
}

// Admin may do anything in databases whose name begins with "assay": it is for
// migrations.
func (c *ClickHouse) Admin() User { return c.users.Admin }

// Writer may insert and select in those databases, and look at running queries
// and parts. It cannot alter anything.
func (c *ClickHouse) Writer() User { return c.users.Writer }

// Reader may select from the views for people (databases whose name begins with
// "assay_sql", and the older views in "assay") and nothing else: no table, no table
// function that reaches a file or the network. But as a library the
// engine does not guard the scalar function file(), with which each of the
// three accounts reads whatever this process may read. So give none of them to
// somebody who may not.
func (c *ClickHouse) Reader() User { return c.users.Reader }

// Backup may copy the tables of those databases to where backups go, see
// [ClickHouse.Backups], and read them.
func (c *ClickHouse) Backup() User { return c.users.Backup }

// Backups is the folder of what is backed up TO File('…').
func (c *ClickHouse) Backups() string { return filepath.Join(c.cfg.Dir, backupDir) }

// Pid is the engine's process, or 0 between two of them.
func (c *ClickHouse) Pid() int { return int(c.pid.Load()) }

// Restarts counts how often a died engine has been replaced.
func (c *ClickHouse) Restarts() int { return int(c.restarts.Load()) }

// Close ends the engine and waits until its process is gone. What it had
// acknowledged is on disk. A second call does nothing.
func (c *ClickHouse) Close() error {
	c.stop()
	<-c.done
	return c.release()
}

// release gives back what this process holds besides the child.
func (c *ClickHouse) release() error {
	err := errors.Join(c.listeners.close(), c.lock.Close())
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
