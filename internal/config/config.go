// Package config reads the operator's configuration: addresses, secrets by
// reference, topics, the attribute allow-list and the kill switches that
// experiment files may name. What an experiment is stands elsewhere; no address
// or secret ever belongs to an experiment file.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/assay-dev/assay/internal/experiment"
)

// Config is the whole of it. The zero value with Default applied runs everything
// on the embedded broker and engine, on loopback.
type Config struct {
	Data        string              `yaml:"data"`        // folder of the embedded broker and engine, and of the unit key
	Experiments string              `yaml:"experiments"` // folder of experiment files
	Metrics     string              `yaml:"metrics"`     // folder of metric files
	Reports     string              `yaml:"reports"`     // folder the daily reports go to, one folder for each day
	Listen      string              `yaml:"listen"`      // address of /metrics, /healthz, /readyz; of run and serve also of everything for people
	Memory      Size                `yaml:"memory"`      // of a process that ingests; three quarters of it hold units
	Kafka       Kafka               `yaml:"kafka"`
	ClickHouse  ClickHouse          `yaml:"clickhouse"`
	Privacy     Privacy             `yaml:"privacy"`
	Verify      Verification        `yaml:"verification"`
	Switches    map[string]Switch   `yaml:"switches"`
	Guard       Guard               `yaml:"guard"`
	Shedding    Shedding            `yaml:"shedding"`
	Notify      Notify              `yaml:"notify"`
	Report      Report              `yaml:"report"`
	Signals     Signals             `yaml:"signals"`
	Access      Access              `yaml:"access"`
	Governance  Governance          `yaml:"governance"`
	Backup      Backup              `yaml:"backup"`
	Log         Log                 `yaml:"log"`
	Tracing     Tracing             `yaml:"tracing"`
	Evaluations Evaluations         `yaml:"evaluations"`
	Profiles    string              `yaml:"profiles"`    // address of Go's profiles (pprof), on loopback only; empty: none
	StopWithin  experiment.Duration `yaml:"stop_within"` // how long a consumer that is told to stop may take to make durable what it has read
}

// Kafka says where the events are. Without brokers the embedded one is started.
type Kafka struct {
	Brokers     []string `yaml:"brokers"`
	Port        int      `yaml:"port"`       // of the embedded broker; 0 takes a free one
	Partitions  int32    `yaml:"partitions"` // of topics that the embedded broker creates
	Shards      int32    `yaml:"shards"`     // when another number than the topics have partitions: every topic is keyed anew over so many
	Group       string   `yaml:"group"`
	Topics      []Topic  `yaml:"topics"`
	DeadLetters string   `yaml:"dead_letters"` // topic; empty for none
	Decisions   string   `yaml:"decisions"`    // topic that the decision log is published on; empty for none
	Batch       Batch    `yaml:"batch"`
	// Recent is whose units a shard has in memory before it counts.
	Recent experiment.Duration `yaml:"recent"` // a shard that starts has in memory before it counts the units that had a record so long before its last one; the others are read back meanwhile, or when they are needed
	TLS    TLS                 `yaml:"tls"`
	SASL   SASL                `yaml:"sasl"`
}

// Batch bounds what is written at once: longer batches mean fewer and larger
// parts of the tables and later results. It never changes what is counted.
type Batch struct {
	Time    experiment.Duration `yaml:"time"`    // how long records are gathered; up to eight times as long while more than was gathered still waits in the log, or when writing takes long: a shard writes a quarter of the time at most
	Records int                 `yaml:"records"` // a shard's batch of so many is full; with more than eight shards in one process, each at its share of 1,600,000
}

// Topic is one declared source topic.
type Topic struct {
	Name        string `yaml:"name"`
	Partitioner string `yaml:"partitioner"` // murmur2 (default), crc32, fnv1a; any: the records are keyed anew first
	Mapping     string `yaml:"mapping"`     // how a record of another shape becomes an event: the name of a mapping that comes with assay, or a file; empty: native events
	Verify      string `yaml:"verify"`      // what records prove of exposures: accept stores it with them, require makes dead letters of those whose proof does not hold; empty: it is not looked at
}

// ClickHouse says where the tables are. Without addresses the embedded engine is started.
type ClickHouse struct {
	Addresses      []string `yaml:"addresses"`
	Database       string   `yaml:"database"`
	User           string   `yaml:"user"`
	Password       Secret   `yaml:"password"`
	TLS            bool     `yaml:"tls"`
	HTTP           string   `yaml:"http"`            // address of its HTTP interface, such as `http://clickhouse:8123`, for Parquet and Arrow; the embedded engine has its own
	Reader         string   `yaml:"reader"`          // account that these are read with, such as `assay_reader`; the user above when empty
	ReaderPassword Secret   `yaml:"reader_password"` // of that account
	Nodes          []Node   `yaml:"nodes"`           // servers that hold the shards, two or more; none: the one at addresses holds everything
	Cluster        string   `yaml:"cluster"`         // name of these nodes in remote_servers of the server at addresses
	Replicated     bool     `yaml:"replicated"`      // the tables are replicated; every server is then named by one address
	Library        string   `yaml:"library"`         // of the embedded engine; found by itself when empty
	Port           int      `yaml:"port"`            // of the embedded engine; 0 takes a free one
}

// Node is a server that holds shards.
type Node struct {
	Name      string   `yaml:"name"`      // stands in the table of placements: never give it to another server's data
	Addresses []string `yaml:"addresses"` // of the native protocol, tried in order
}

// Privacy says what is kept of people.
type Privacy struct {
	UnitKey    Secret   `yaml:"unit_key"`   // 32 hexadecimal digits; made at the first start when empty
	Attributes []string `yaml:"attributes"` // the allow-list: nothing else is stored
	// SmallestCell bounds what exports show.
	SmallestCell int `yaml:"smallest_cell"` // exports of sums and of units leave out cells of fewer units; 0: they show all
	// Retention is how long events are kept.
	Retention map[string]experiment.Duration `yaml:"retention"` // by unit kind, and `all` for the others; `assay retention` carries it out; empty: for ever
}

// Guard configures the loop that judges and acts.
type Guard struct {
	Observe      bool `yaml:"observe"`        // the global stop: every kill is only written down
	KillsPerHour int  `yaml:"kills_per_hour"` // more than this at once suspects the data: hold and page
	// Instance names this guard in the decision log: the same over a restart, so that
	// it goes on at once with what it had begun, and another for every guard that runs
	// at the same time.
	Instance string              `yaml:"instance"` // guard@HOST when not given; two guards on one machine need two names
	Settle   experiment.Duration `yaml:"settle"`   // how long clients may take to hear of a kill: their polling interval and some more
	Runbook  string              `yaml:"runbook"`  // where people read docs/guardrails.md, or a page of yours with its anchors: alerts link to it with #REASON
}

// Secret is named, never written down: by an environment variable or a file.
type Secret struct {
	Env  string `yaml:"env"`
	File string `yaml:"file"`
}

// Empty tells whether nothing is named.
func (s Secret) Empty() bool { return s.Env == "" && s.File == "" }

// Resolve reads the secret. An empty reference gives "".
func (s Secret) Resolve() (string, error) {
	switch {
	case s.Env != "":
		v, ok := os.LookupEnv(s.Env)
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set", s.Env)
		}
		return v, nil
	case s.File != "":
		b, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		return strings.TrimSpace(string(b)), nil
	default:
		return "", nil
	}
}

// DefaultFile is looked for when no file is named.
const DefaultFile = "assay.yaml"

// Default returns the configuration that runs without any file.
func Default() Config {
	return Config{
		Data: "data", Experiments: "experiments", Metrics: "metrics", Reports: "reports",
		Listen: "127.0.0.1:8344", Memory: 4 << 30,
		Kafka: Kafka{
			Port: 9092, Partitions: 4, Group: "assay",
			Topics:      []Topic{{Name: "assay.exposures"}, {Name: "assay.outcomes"}},
			DeadLetters: "assay.deadletters", Decisions: "assay.decisions",
			Batch:  Batch{Time: experiment.Duration(250 * time.Millisecond), Records: 200_000},
			Recent: experiment.Duration(2 * time.Minute),
		},
		ClickHouse: ClickHouse{Database: "assay", User: "assay", Port: 9000, Cluster: "assay"},
		Verify:     Verification{Header: "assay-signature", Token: "assay-token"},
		Guard:      Guard{KillsPerHour: 10, Settle: experiment.Duration(30 * time.Second)},
		Report:     Report{Timezone: "UTC", CatchUp: 3},
		Shedding:   Shedding{Lag: experiment.Duration(5 * time.Minute), For: experiment.Duration(10 * time.Minute)},
		Signals:    Signals{Every: experiment.Duration(15 * time.Second), Timeout: experiment.Duration(5 * time.Second)},
		Access:     Access{Session: experiment.Duration(12 * time.Hour)},
		Backup:     Backup{To: "File('{name}')"},
		Log:        Log{Format: "text"},
		Tracing:    Tracing{Share: 0.01},
		StopWithin: experiment.Duration(10 * time.Second),
	}
}

// Load reads a file over the defaults. The empty name takes DefaultFile if it
// exists; a file that was named must exist.
func Load(name string) (Config, error) {
	c := Default()
	named := name != ""
	if !named {
		name = DefaultFile
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	if err := Parse(b, &c); err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	c.anchor(filepath.Dir(name))
	return c, c.Validate()
}

// Parse decodes YAML strictly over c; the error carries line, column and excerpt.
func Parse(b []byte, c *Config) error {
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict(), yaml.DisallowUnknownField())
	if err := dec.Decode(c); err != nil {
		return errors.New(yaml.FormatError(err, false, true))
	}
	return nil
}

// anchor makes relative folders and files relative to the file that names them.
func (c *Config) anchor(dir string) {
	files := []*string{&c.Data, &c.Experiments, &c.Metrics, &c.Reports, &c.Kafka.TLS.CA, &c.Kafka.TLS.Cert, &c.Kafka.TLS.Key,
		&c.Access.Tokens, &c.Access.TLS.Cert, &c.Access.TLS.Key, &c.Backup.Folder}
	for i := range c.Kafka.Topics {
		if m := &c.Kafka.Topics[i].Mapping; filepath.Ext(*m) != "" { // else it is a name
			files = append(files, m)
		}
	}
	if !strings.Contains(c.Verify.JWKS, "://") {
		files = append(files, &c.Verify.JWKS)
	}
	for _, s := range c.Switches {
		files = append(files, s.files()...)
	}
	for _, p := range files {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// leastMemory can hold no more than the units of one batch.
const leastMemory Size = 1 << 20

// maxBatch keeps a part of the ledger one block: it can be twice as many records.
const maxBatch = 250_000

// Validate refuses what cannot work, with the setting's name.
func (c *Config) Validate() error {
	if len(c.Kafka.Topics) == 0 {
		return errors.New("kafka.topics: name at least one topic")
	}
	if c.Kafka.Partitions < 1 || c.Kafka.Partitions > 1024 {
		return fmt.Errorf("kafka.partitions: %d is not between 1 and 1024", c.Kafka.Partitions)
	}
	if c.Kafka.Shards < 0 || c.Kafka.Shards > 1024 {
		return fmt.Errorf("kafka.shards: %d is not between 0 and 1024", c.Kafka.Shards)
	}
	if b := c.Kafka.Batch; b.Time < experiment.Duration(time.Millisecond) || b.Time > experiment.Duration(10*time.Second) || b.Records < 1 || b.Records > maxBatch {
		return fmt.Errorf("kafka.batch: time must be between 1ms and 10s, records between 1 and %d", maxBatch)
	}
	if c.Kafka.Recent < 0 {
		return fmt.Errorf("kafka.recent: %s is below 0", c.Kafka.Recent.Std())
	}
	if c.Memory < leastMemory {
		return fmt.Errorf("memory: %s is below %s", c.Memory, leastMemory)
	}
	if c.Guard.Settle < experiment.Duration(time.Second) || c.Guard.Settle > experiment.Duration(time.Hour) {
		return errors.New("guard.settle: it must be between 1s and 1h")
	}
	seen := map[string]bool{}
	for i, t := range c.Kafka.Topics {
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("kafka.topics[%d]: the name %q is empty or there twice", i, t.Name)
		}
		seen[t.Name] = true
		switch t.Partitioner {
		case "", "murmur2", "crc32", "fnv1a", "any":
		default:
			return fmt.Errorf("kafka.topics[%d]: unknown partitioner %q: murmur2, crc32, fnv1a or any", i, t.Partitioner)
		}
		if err := t.checkVerify(&c.Verify); err != nil {
			return fmt.Errorf("kafka.topics[%d]: %w", i, err)
		}
	}
	if d := c.Kafka.Decisions; d != "" && (seen[d] || d == c.Kafka.DeadLetters) {
		return fmt.Errorf("kafka.decisions: %s is used for something else", d)
	}
	if c.Privacy.SmallestCell < 0 {
		return errors.New("privacy.smallest_cell: it is a number of units, 0 or more")
	}
	if err := c.Privacy.checkRetention(); err != nil {
		return err
	}
	if err := c.Verify.check(); err != nil {
		return err
	}
	if err := c.Kafka.secure(); err != nil {
		return err
	}
	for name, s := range c.Switches {
		if f := s.fault(); f != nil {
			return fmt.Errorf("switches.%s: %w", name, f)
		}
	}
	if err := c.ClickHouse.check(); err != nil {
		return err
	}
	if c.ClickHouse.HTTP != "" {
		if err := web("clickhouse.http", c.ClickHouse.HTTP); err != nil {
			return err
		}
	}
	if c.Guard.Runbook != "" {
		if err := web("guard.runbook", c.Guard.Runbook); err != nil {
			return err
		}
	}
	if err := c.Access.check(); err != nil {
		return err
	}
	if err := c.Governance.check(); err != nil {
		return err
	}
	if err := c.Shedding.check(); err != nil {
		return err
	}
	if err := c.Backup.check(); err != nil {
		return err
	}
	if err := c.process(); err != nil {
		return err
	}
	if err := c.Notify.check(); err != nil {
		return err
	}
	if err := c.Signals.check(); err != nil {
		return err
	}
	return c.Report.check(c.Notify)
}
