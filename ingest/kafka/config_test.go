package kafka

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no broker":     {func(c *Config) { c.Brokers = nil }, "no broker is named"},
		"no topic":      {func(c *Config) { c.Topics = nil }, "0 topics are declared"},
		"twice":         {func(c *Config) { c.Topics[1] = c.Topics[0] }, `topic "assay.exposures"`},
		"own letters":   {func(c *Config) { c.DeadLetters = c.Topics[0].Name }, `topic "assay.exposures"`},
		"until end":     {func(c *Config) { c.UntilEnd, c.Group = true, "g" }, "cannot share them with a group"},
		"no time":       {func(c *Config) { c.Batch.Time = 0 }, "batch time: 0s is not above 0"},
		"empty batches": {func(c *Config) { c.Batch.Records = 0 }, "room for a record"},
		"no rows":       {func(c *Config) { c.Batch.Rows = 0 }, "a byte and a row"},
	} {
		cfg := DefaultConfig()
		cfg.Brokers = []string{"127.0.0.1:1"}
		c.change(&cfg)
		if _, err := New(cfg, newMemory()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestTwoConsumersNeedTwoRegistries(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Brokers, cfg.Registerer = []string{"127.0.0.1:1"}, prometheus.NewRegistry()
	if _, err := New(cfg, newMemory()); err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg, newMemory()); err == nil {
		t.Error("the second registration was accepted")
	}
}

// New connects to nothing, and topics are in the order of their names whatever
// the order of the configuration: it is the order of ties.
func TestTopicsAreSorted(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Brokers = []string{"127.0.0.1:1"}
	cfg.Topics[0], cfg.Topics[1] = cfg.Topics[1], cfg.Topics[0]
	c, err := New(cfg, newMemory())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.cfg.names(), " "); got != "assay.exposures assay.outcomes" || cfg.Topics[0].Name != "assay.outcomes" {
		t.Errorf("topics are %s; the caller's are %v", got, cfg.Topics)
	}
}
