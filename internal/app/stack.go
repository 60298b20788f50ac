package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/web"
)

// Options say what a command needs.
type Options struct {
	Code    string // version of the program
	Kafka   bool   // a broker is needed
	Migrate bool   // the command may create and migrate the tables
	Adopt   string // node that takes over what the server has had alone; empty: none
	HTTP    bool   // the embedded engine also serves HTTP, for people with curl
	Later   bool   // a server that does not answer is waited for by whoever asks it
	Await   bool   // … and here, before anything else is done
	Log     *slog.Logger
}

// Stack is the outside world as a command sees it: a broker's addresses and a
// database, embedded or not. Close stops what Open started, last first.
type Stack struct {
	Config  config.Config
	Brokers []string
	DB      *clickhouse.DB // as the writer
	Log     *slog.Logger
	Code    string

	endpoints  Endpoints
	owner      bool // this process started the embedded parts
	unchecked  bool // the server has not answered yet, so the tables may be those of a newer program
	closers    []func() error
	ready      map[string]web.Check // of the parts that run here; for the door, before it is opened to anybody
	alive      map[string]web.Check
	steps      sync.Map // judgedStep → signals.Step
	background *gentle
	follows    func() bool // the guard of this process follows another; nil: there is none, or it is alone
	faults     *prometheus.CounterVec
}

// Open connects to what the configuration names. What it doesn't name is looked
// for in a running `assay run` on the same data folder, and is started embedded
// when there is none.
func Open(ctx context.Context, cfg config.Config, opt Options) (_ *Stack, err error) {
	s := &Stack{Config: cfg, Log: opt.Log, Code: opt.Code, faults: newFaults()}
	s.background = newGentle(s.behind)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.resolve(ctx, opt); err != nil {
		return nil, err
	}
	s.Brokers = s.endpoints.Kafka
	if s.DB, err = s.connect(ctx, s.endpoints.Writer); err != nil {
		return nil, err
	}
	named := len(cfg.ClickHouse.Addresses) > 0
	if opt.Await && named {
		if err := s.awaitServer(ctx); err != nil {
			return nil, err
		}
	}
	if opt.Migrate && s.mayMigrate() {
		if err := s.migrate(ctx, opt.Adopt); err != nil {
			return nil, err
		}
	}
	if err := s.greet(ctx, opt.Later && named); err != nil {
		return nil, err
	}
	return s, nil
}

// firstAnswer is how long a server may take to say that it is there, for who goes on
// without it.
const firstAnswer = 3 * time.Second

// greet asks whether the server is there, and whether its tables are ours to read.
func (s *Stack) greet(ctx context.Context, later bool) error {
	if later {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, firstAnswer)
		defer cancel()
	}
	err := s.DB.Ping(ctx)
	if err != nil {
		err = s.noAnswer(err)
	} else {
		err = s.DB.CheckSchema(ctx)
	}
	if later && clickhouse.Transient(err) {
		s.Log.Error("ClickHouse does not answer: waiting for it, and answering what is known without it", "error", err)
		s.unchecked = true
		return nil
	}
	return err
}

// Close stops everything, last first.
func (s *Stack) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// checked has the door say how a part goes: ready, and whether it is stuck (nil: it
// cannot be). Parts are made before the door serves.
func (s *Stack) checked(part string, ready, alive web.Check) {
	if s.ready == nil {
		s.ready, s.alive = map[string]web.Check{}, map[string]web.Check{}
	}
	if ready != nil {
		s.ready[part] = ready
	}
	if alive != nil {
		s.alive[part] = alive
	}
}

func (s *Stack) onClose(f func() error) { s.closers = append(s.closers, f) }

// resolve fills in the endpoints: named, of a running process, or embedded.
func (s *Stack) resolve(ctx context.Context, opt Options) error {
	if err := s.named(); err != nil {
		return err
	}
	needKafka := opt.Kafka && len(s.endpoints.Kafka) == 0
	needClickHouse := len(s.endpoints.ClickHouse) == 0
	if !needKafka && !needClickHouse {
		return nil
	}
	if running, ok := runningEndpoints(ctx, s.Config.Data); ok {
		s.endpoints.fillFrom(running)
		return nil
	}
	if err := os.MkdirAll(s.Config.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	s.owner = true
	if needClickHouse {
		if err := s.startClickHouse(ctx, opt); err != nil {
			return err
		}
	}
	if needKafka {
		return s.startKafka(ctx)
	}
	return nil
}

// named takes what the configuration says.
func (s *Stack) named() error {
	s.endpoints.Kafka = s.Config.Kafka.Brokers
	ch := s.Config.ClickHouse
	if len(ch.Addresses) == 0 {
		return nil
	}
	password, err := ch.Password.Resolve()
	if err != nil {
		return fmt.Errorf("clickhouse.password: %w", err)
	}
	user := Account{ch.User, password}
	s.endpoints.ClickHouse = ch.Addresses
	s.endpoints.Admin, s.endpoints.Writer, s.endpoints.Reader, s.endpoints.Backup = user, user, user, user
	if ch.Reader != "" {
		if password, err = ch.ReaderPassword.Resolve(); err != nil {
			return fmt.Errorf("clickhouse.reader_password: %w", err)
		}
		s.endpoints.Reader = Account{ch.Reader, password}
	}
	return nil
}

func (s *Stack) startClickHouse(ctx context.Context, opt Options) error {
	ch, err := embedded.StartClickHouse(ctx, embedded.ClickHouseConfig{
		Dir: filepath.Join(s.Config.Data, "clickhouse"), Library: s.Config.ClickHouse.Library,
		Port: s.Config.ClickHouse.Port, HTTP: opt.HTTP, Logger: s.Log,
	})
	if err != nil {
		return fmt.Errorf("start the embedded ClickHouse: %w", err)
	}
	s.onClose(ch.Close)
	s.endpoints.ClickHouse = []string{ch.Addr()}
	s.endpoints.HTTP = ch.HTTPAddr()
	s.endpoints.Admin, s.endpoints.Writer, s.endpoints.Reader = Account(ch.Admin()), Account(ch.Writer()), Account(ch.Reader())
	s.endpoints.Backup = Account(ch.Backup())
	s.endpoints.EnginePid = ch.Pid()
	return nil
}

func (s *Stack) startKafka(ctx context.Context) error {
	topics := map[string]int32{}
	for _, t := range s.Config.Kafka.Topics {
		topics[t.Name] = s.Config.Kafka.Partitions
	}
	if dl := s.Config.Kafka.DeadLetters; dl != "" {
		topics[dl] = 1
	}
	k, err := embedded.StartKafka(ctx, embedded.KafkaConfig{
		Dir: filepath.Join(s.Config.Data, "kafka"), Port: s.Config.Kafka.Port, Topics: topics, Logger: s.Log,
	})
	if err != nil {
		return fmt.Errorf("start the embedded Kafka: %w", err)
	}
	s.onClose(k.Close)
	s.endpoints.Kafka = []string{k.Addr()}
	return nil
}

// mayMigrate tells whether this process is the one to change the schema: the one
// that started the engine, or any that was pointed at a real server.
func (s *Stack) mayMigrate() bool { return s.owner || len(s.Config.ClickHouse.Addresses) > 0 }

func (s *Stack) migrate(ctx context.Context, adopt string) error {
	db, err := s.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return err
	}
	if adopt != "" {
		if err := db.Adopt(ctx, adopt); err != nil {
			return fmt.Errorf("hand the tables to node %s: %w", adopt, err)
		}
	}
	if err := db.Migrate(ctx); err != nil {
		return s.noAnswer(fmt.Errorf("migrate the tables: %w", err))
	}
	return nil
}

func (s *Stack) noAnswer(err error) error {
	if _, newer := errors.AsType[*clickhouse.NewerError](err); newer {
		return err
	}
	return WithHint(fmt.Errorf("ClickHouse at %v: %w", s.endpoints.ClickHouse, err),
		"check clickhouse.addresses, user and password in assay.yaml; `assay migrate` makes the tables; without addresses the embedded engine is used")
}

// clickhouse is how the server is asked as a user.
func (s *Stack) clickhouse(as Account) clickhouse.Config {
	cfg := clickhouse.Config{
		Addr: s.endpoints.ClickHouse, Database: s.Config.ClickHouse.Database,
		User: as.Name, Password: as.Password, Code: s.Code, Logger: s.Log,
		Cluster: s.Config.ClickHouse.Cluster, Replicated: s.Config.ClickHouse.Replicated,
	}
	if s.faults != nil {
		cfg.Failed = s.failed
	}
	for _, n := range s.Config.ClickHouse.Nodes {
		cfg.Nodes = append(cfg.Nodes, clickhouse.Node{Name: n.Name, Addr: n.Addresses})
	}
	if s.Config.ClickHouse.TLS {
		cfg.TLS = tlsConfig()
	}
	return cfg
}

// connect opens a pool as a user and closes it with the stack.
func (s *Stack) connect(ctx context.Context, as Account) (*clickhouse.DB, error) {
	db, err := clickhouse.Open(ctx, s.clickhouse(as))
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse: %w", err)
	}
	s.onClose(db.Close)
	return db, nil
}

// Publish writes down where this process's parts are, so that other commands on
// the same data folder find them; the note goes away with the stack.
func (s *Stack) Publish(web string) error {
	s.endpoints.Web = web
	if !s.owner {
		return nil
	}
	if err := s.endpoints.write(s.Config.Data); err != nil {
		return err
	}
	s.onClose(func() error { return removeEndpoints(s.Config.Data) })
	return nil
}

// Endpoints says where everything is.
func (s *Stack) Endpoints() Endpoints { return s.endpoints }

// WithBrokers hands over the addresses of a broker: named, of a running process,
// or one that is started on the data folder for as long as f runs.
func WithBrokers(ctx context.Context, cfg config.Config, log *slog.Logger, f func(brokers []string) error) (err error) {
	if len(cfg.Kafka.Brokers) > 0 {
		return f(cfg.Kafka.Brokers)
	}
	if running, ok := runningEndpoints(ctx, cfg.Data); ok && len(running.Kafka) > 0 {
		return f(running.Kafka)
	}
	s := &Stack{Config: cfg, Log: log}
	if err := s.startKafka(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(s.endpoints.Kafka)
}
