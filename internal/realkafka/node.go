package realkafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/peer"
)

// clusterID is the same for all: clusters of different tests never meet.
const clusterID = "AAAAAAAAAAAAAAAAAAAAAA"

// stopTimeout is how long a broker may take to hand over and end.
const stopTimeout = 30 * time.Second

// node is one broker and controller.
type node struct {
	jars, dir, addr string
	process         *peer.Process // nil before the first start
}

func (n *node) log() string { return filepath.Join(n.dir, "broker.log") }

// properties is a broker's server.properties. What is short here is what a test
// would otherwise wait for.
func properties(id, brokers, port, controller int, voters string, more map[string]string) string {
	replicas, insync := 1, 1
	if brokers >= 3 {
		replicas, insync = 3, 2
	}
	p := map[string]any{
		"process.roles":                                    "broker,controller",
		"node.id":                                          id,
		"controller.quorum.voters":                         voters,
		"listeners":                                        fmt.Sprintf("PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", port, controller),
		"advertised.listeners":                             fmt.Sprintf("PLAINTEXT://127.0.0.1:%d", port),
		"controller.listener.names":                        "CONTROLLER",
		"log.dirs":                                         "data",
		"default.replication.factor":                       replicas,
		"min.insync.replicas":                              insync,
		"offsets.topic.num.partitions":                     4,
		"offsets.topic.replication.factor":                 replicas,
		"transaction.state.log.num.partitions":             4,
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    insync,
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            insync,
		"group.initial.rebalance.delay.ms":                 0,
		"auto.create.topics.enable":                        false,
		"log.retention.ms":                                 -1,
		// The compaction that tests wait for.
		"log.cleaner.backoff.ms":         100,
		"log.cleaner.dedupe.buffer.size": 4 << 20,
		// A broker that was killed is missed soon.
		"broker.session.timeout.ms":    3000,
		"broker.heartbeat.interval.ms": 500,
		"replica.lag.time.max.ms":      5000,
		"num.network.threads":          2,
		"num.io.threads":               4,
	}
	for key, value := range more {
		p[key] = value
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p)) {
		_, _ = fmt.Fprintf(&b, "%s=%v\n", key, p[key])
	}
	return b.String()
}

// format prepares the broker's folder.
func (n *node) format(ctx context.Context, text string) error {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return fmt.Errorf("make a broker's folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(n.dir, "server.properties"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write a broker's properties: %w", err)
	}
	cmd := exec.CommandContext(ctx, "java", n.args("64m", "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", "server.properties")...)
	cmd.Dir = n.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format a broker's folder: %w\n%s", err, out)
	}
	return nil
}

// args are Java's: a broker of a test lives for seconds, so that compiling less
// is faster.
func (n *node) args(memory, class string, more ...string) []string {
	return append([]string{"-Xms64m", "-Xmx" + memory, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-cp", filepath.Join(n.jars, "*"), class}, more...)
}

func (n *node) start() error {
	if n.process.Running() {
		return errors.New("the broker is running")
	}
	cmd := exec.Command("java", n.args("512m", "kafka.Kafka", "server.properties")...)
	cmd.Dir = n.dir
	var err error
	n.process, err = peer.Start(cmd, n.log())
	return err
}

// died tells whether a process that was started has ended.
func (n *node) died() bool { return n.process != nil && !n.process.Running() }

func (n *node) freeze() { n.process.Signal(syscall.SIGSTOP) }
func (n *node) thaw()   { n.process.Signal(syscall.SIGCONT) }

// kill and stop leave no process: a broker that somebody ended has not died.
func (n *node) kill() {
	n.process.Kill()
	n.process = nil
}

func (n *node) stop() {
	n.process.Stop(syscall.SIGTERM, stopTimeout)
	n.process = nil
}
