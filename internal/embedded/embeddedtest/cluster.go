package embeddedtest

import (
	"context"
	"crypto/rand"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/embedded"
)

// ClusterName is how the engines of a [Cluster] call what they are in.
const ClusterName = "assay"

// Cluster is several engines that know one another, each with a directory of its own.
type Cluster struct {
	Engines []*embedded.ClickHouse // nil where one was stopped
	configs []embedded.ClickHouseConfig
}

// NewCluster starts them; they run until the test ends.
func NewCluster(t testing.TB, engines int) *Cluster {
	t.Helper()
	library := Library(t)
	known := &embedded.Cluster{Name: ClusterName, Key: rand.Text()}
	c := &Cluster{Engines: make([]*embedded.ClickHouse, engines)}
	for _, port := range freePorts(t, engines) {
		known.Nodes = append(known.Nodes, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		c.configs = append(c.configs, embedded.ClickHouseConfig{Dir: t.TempDir(), Library: library, Port: port, Memory: 1 << 30, KeepMerged: time.Second, Cluster: known})
	}
	t.Cleanup(func() {
		for i := range c.Engines {
			c.Stop(t, i)
		}
	})
	for i := range c.Engines {
		c.Start(t, i)
	}
	return c
}

// Start starts an engine that does not run, with what it had.
func (c *Cluster) Start(t testing.TB, i int) {
	t.Helper()
	engine, err := embedded.StartClickHouse(context.Background(), c.configs[i])
	if err != nil {
		t.Fatal(err)
	}
	c.Engines[i] = engine
}

// Stop ends an engine without notice, and nobody listens in its place.
func (c *Cluster) Stop(t testing.TB, i int) {
	t.Helper()
	if c.Engines[i] == nil {
		return
	}
	if err := c.Engines[i].Close(); err != nil {
		t.Error(err)
	}
	c.Engines[i] = nil
}

// freePorts are chosen by the kernel, and free a moment ago: each engine must know the
// others' before it starts.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports
}
