package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	native "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/realkafka"
)

const (
	exposures = "assay.exposures"
	outcomes  = "assay.outcomes"
	letters   = "assay.deadletters"
)

// world is an operator's: a broker, a database, a folder with assay.yaml and the
// files of experiments. The log is everything that was ever produced.
type world struct {
	t        *testing.T
	dir      string
	engine   *embedded.ClickHouse
	database string
	broker   *embedded.Kafka // nil: a cluster
	brokers  []string
	client   *kgo.Client
	admin    *kadm.Client
	db       driver.Conn
	servers  *embeddedtest.Cluster // where there are several
	log      []*kgo.Record
	junk     uint64 // records beside the log, all of them malformed
	setting
}

// setting is what differs between worlds.
type setting struct {
	partitions int32
	own        bool               // an engine of its own, that the test may kill
	engineDir  string             // where; empty: a new folder
	attributes []string           // the allow-list
	batch      string             // kafka.batch
	more       string             // of assay.yaml
	cluster    *realkafka.Cluster // nil: an embedded broker
	nodes      int                // engines that share the shards, the first being home; 0: one has all
	alone      bool               // nobody knows yet of others than the first
}

// databases numbers the worlds.
var databases atomic.Int64

func newWorld(t *testing.T, s setting) *world {
	t.Helper()
	embeddedtest.Library(t) // skips, or fails in CI
	if suite.err != nil {
		t.Fatal(suite.err)
	}
	w := &world{t: t, dir: t.TempDir(), engine: suite.engine, database: fmt.Sprintf("assay_e2e_%d", databases.Add(1)), setting: s}
	if w.own {
		w.startOwnEngine()
	}
	if w.nodes > 0 {
		w.servers = embeddedtest.NewCluster(t, w.nodes)
		w.engine = w.servers.Engines[0]
	}
	if w.cluster != nil {
		w.brokers = w.cluster.Addrs()
	} else {
		w.broker = embeddedtest.Kafka(t, nil, 0)
		w.brokers = []string{w.broker.Addr()}
	}
	w.connect()
	w.createTopics()
	w.configure()
	w.assay("--config", "admin.yaml", "migrate")
	return w
}

func (w *world) startOwnEngine() {
	var err error
	if w.engine, err = startEngine(cmp.Or(w.engineDir, w.t.TempDir())); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := w.engine.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// createTopics makes the native topics, with as many replicas as the brokers do.
func (w *world) createTopics() {
	w.t.Helper()
	for topic, partitions := range map[string]int32{exposures: w.partitions, outcomes: w.partitions, letters: 1} {
		if _, err := w.admin.CreateTopic(w.t.Context(), partitions, -1, nil, topic); err != nil {
			w.t.Fatal(err)
		}
	}
}

// connect opens the test's own clients.
func (w *world) connect() {
	var err error
	w.client, err = kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.RecordPartitioner(chosen{kgo.StickyKeyPartitioner(nil)}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.client.Close)
	w.admin = kadm.NewClient(w.client)
	user := w.engine.Admin()
	w.db, err = native.Open(&native.Options{
		Addr: []string{w.engine.Addr()}, Auth: native.Auth{Username: user.Name, Password: user.Password},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.db.Close() })
}

// configure writes assay.yaml, for the account that may only read and insert,
// and admin.yaml for the one that makes the tables.
func (w *world) configure() {
	w.write("unit.key", "000102030405060708090a0b0c0d0e0f\n")
	w.configureAs("assay.yaml", w.engine.Writer(), "")
	w.configureAs("admin.yaml", w.engine.Admin(), "")
}

// configureAs writes one configuration file; kafka are more lines of that section.
func (w *world) configureAs(file string, user embedded.User, kafka string) {
	w.t.Helper()
	w.write(user.Name+".password", user.Password+"\n")
	w.write(file, fmt.Sprintf(`listen: 127.0.0.1:0
kafka:
  brokers: [%s]
%sclickhouse:
  addresses: [%q]
  database: %s
  user: %s
  password: {file: %s}
%sprivacy:
  unit_key: {file: %s}
  attributes: [%s]
%s`, `"`+strings.Join(w.brokers, `", "`)+`"`, cmp.Or(kafka, "  batch: "+cmp.Or(w.batch, "{}")+"\n"), w.engine.Addr(), w.database, user.Name, w.path(user.Name+".password"), w.nodeLines(), w.path("unit.key"), strings.Join(w.attributes, ", "), w.more))
}

// nodeLines are those of clickhouse.nodes.
func (w *world) nodeLines() string {
	if w.servers == nil || w.alone {
		return ""
	}
	lines := "  nodes:\n"
	for i, e := range w.servers.Engines {
		lines += fmt.Sprintf("    - name: n%d\n      addresses: [%q]\n", i, e.Addr())
	}
	return lines
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// write makes a file of the world's folder.
func (w *world) write(name, text string) {
	w.t.Helper()
	file := w.path(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// assay runs a command to its end, which must be a good one, and returns what it
// wrote to standard output.
func (w *world) assay(args ...string) string {
	w.t.Helper()
	out, text, code := w.try(args...)
	if code != 0 {
		w.t.Fatalf("assay %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, text)
	}
	return out
}

// try runs a command to its end, whatever that is.
func (w *world) try(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out bytes.Buffer
	p := begin(w.t, w.dir, &out, args...)
	p.wait(3 * time.Minute)
	return out.String(), p.err.String(), p.code()
}

// start runs a command beside the test.
func (w *world) start(args ...string) *process {
	w.t.Helper()
	return begin(w.t, w.dir, nil, args...)
}

// decode reads a command's JSON.
func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

// chosen is a partitioner that leaves a record where it was put, when it was.
type chosen struct{ kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (c chosen) ForTopic(topic string) kgo.TopicPartitioner {
	return chosenTopic{c.Partitioner.ForTopic(topic)}
}

type chosenTopic struct{ kgo.TopicPartitioner }

// Partition implements kgo.TopicPartitioner. Partition 0 of a new record means
// that nobody chose, a negative one that -1 - it was chosen.
func (c chosenTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition < 0 {
		return int(-1 - r.Partition)
	}
	return c.TopicPartitioner.Partition(r, n)
}

// produce writes records and adds them, with their places, to the log.
func (w *world) produce(records ...*kgo.Record) {
	w.t.Helper()
	now := time.Now()
	for _, r := range records {
		r.Timestamp = now
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	w.log = append(w.log, records...)
}

// ask reads one value with SQL.
func ask[T any](w *world, query string, args ...any) T {
	w.t.Helper()
	var v T
	var err error
	// The engine may just have been killed by the test.
	await(w.t, 30*time.Second, func() string { return fmt.Sprintf("%s: %v", query, err) }, func() bool {
		err = w.db.QueryRow(w.t.Context(), strings.ReplaceAll(query, "DB.", w.database+"."), args...).Scan(&v)
		return err == nil
	})
	return v
}
