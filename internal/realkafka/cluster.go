package realkafka

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/peer"
)

// Config says what to start.
type Config struct {
	Jars    string // folder of the jars
	Dir     string // for the brokers' files; it must be empty
	Brokers int    // 1 or 3
	// Properties are added to each broker's.
	Properties map[string]string
}

// Cluster is a running Kafka. Its methods are for one goroutine.
type Cluster struct {
	nodes []*node
}

const (
	startTimeout = 2 * time.Minute // a JVM on a busy machine
	startTries   = 3               // ports were free a moment before
)

// Start starts the brokers and returns when all of them take part. The context
// bounds the start only.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	for try := range startTries {
		c := &Cluster{}
		if err = c.start(ctx, cfg, filepath.Join(cfg.Dir, fmt.Sprint("try-", try))); err == nil {
			return c, nil
		}
		err = fmt.Errorf("start kafka: %w\n%s", err, c.Said())
		c.Close()
	}
	return nil, err
}

func (c *Cluster) start(ctx context.Context, cfg Config, dir string) error {
	ports, err := peer.Ports(2 * cfg.Brokers)
	if err != nil {
		return err
	}
	var voters []string
	for i := range cfg.Brokers {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, ports[2*i+1]))
	}
	var starting errgroup.Group
	for i := range cfg.Brokers {
		n := &node{jars: cfg.Jars, dir: filepath.Join(dir, fmt.Sprint("broker-", i+1)), addr: fmt.Sprintf("127.0.0.1:%d", ports[2*i])}
		c.nodes = append(c.nodes, n)
		text := properties(i+1, cfg.Brokers, ports[2*i], ports[2*i+1], strings.Join(voters, ","), cfg.Properties)
		starting.Go(func() error { return n.format(ctx, text) })
	}
	if err := starting.Wait(); err != nil {
		return err
	}
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			return err
		}
	}
	return c.Await(ctx)
}

// Await returns when every broker that was started takes part.
func (c *Cluster) Await(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		return fmt.Errorf("make a kafka client: %w", err)
	}
	defer client.Close()
	want := 0
	for _, n := range c.nodes {
		if n.process.Running() {
			want++
		}
	}
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		brokers, err := kadm.NewClient(client).ListBrokers(ctx)
		if err == nil && len(brokers) >= want {
			return nil
		}
		for _, n := range c.nodes {
			if n.died() {
				return fmt.Errorf("the broker at %s ended", n.addr)
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("only %d of %d brokers take part", len(brokers), want), err, ctx.Err())
		case <-tick.C:
		}
	}
}

// Addrs are the brokers' host:port, those of dead ones too.
func (c *Cluster) Addrs() []string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.addr)
	}
	return all
}

// Brokers is how many there are; their ids are 1 to that.
func (c *Cluster) Brokers() int { return len(c.nodes) }

// Pid is the process of a broker, 0 when it has ended.
func (c *Cluster) Pid(id int) int { return c.nodes[id-1].process.Pid() }

// Kill ends a broker with -9. What it had acknowledged is in its files.
func (c *Cluster) Kill(id int) { c.nodes[id-1].kill() }

// Stop ends a broker gently: it hands its partitions over first.
func (c *Cluster) Stop(id int) { c.nodes[id-1].stop() }

// Restart starts a broker that has ended, on the same port and files. [Cluster.Await]
// tells when it takes part.
func (c *Cluster) Restart(id int) error { return c.nodes[id-1].start() }

// Freeze stops a broker's process as it stands, and Thaw lets it go on: to
// everybody else that is a network that lost it.
func (c *Cluster) Freeze(id int) { c.nodes[id-1].freeze() }

// Thaw is the end of [Cluster.Freeze].
func (c *Cluster) Thaw(id int) { c.nodes[id-1].thaw() }

// Close ends all brokers. Their files stay.
func (c *Cluster) Close() {
	for _, n := range c.nodes {
		n.kill()
	}
}

// Said is the end of what the brokers wrote to their logs.
func (c *Cluster) Said() string {
	var all strings.Builder
	for _, n := range c.nodes {
		_, _ = fmt.Fprintf(&all, "%s:\n%s\n", n.addr, peer.Tail(n.log()))
	}
	return all.String()
}
