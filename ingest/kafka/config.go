package kafka

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// Config is a consumer's. Start from [DefaultConfig].
type Config struct {
	Brokers []string
	Topics  []SourceTopic
	// Group shares the shards among the consumers of that name. Without one this
	// consumer takes all of them.
	Group string
	// DeadLetters is the topic that gets a note of each record that cannot be an
	// event; empty for none.
	DeadLetters string

	UnitKey    ingest.Key
	Attributes []string // the allow-list: nothing else is kept
	// Mapped makes a decoder by the text of a mapping file. It may be nil while
	// no topic has a mapping.
	Mapped func(mapping string, key ingest.Key, attributes []string) (Expecting, error)
	// Prove says what a record proves of its exposure, on topics whose Verify asks for it.
	Prove ingest.Prover
	// OwnDecoding puts the mappings and the allow-list of this configuration in
	// force although they were replaced by others before.
	OwnDecoding bool

	// AcceptGap goes on where records were lost before they were read. The lost
	// range stands in the ledger.
	AcceptGap bool
	// UntilEnd stops at the ends that the topics had at the start, when all
	// below them is durable. It needs all shards, so no Group.
	UntilEnd bool

	Batch Batch
	// Memory is what the state of all shards together may take, in bytes; 0: no
	// limit. Reaching it costs queries, and no count.
	Memory int64
	// Recent is how long before its newest record units had one that a shard has in
	// memory before it counts: those that are likely to be needed at once. 0: none.
	Recent      time.Duration
	StatusEvery time.Duration // status, lag commit, check of the topics
	ConfigEvery time.Duration // looking for a new configuration version
	ChainEvery  time.Duration // checking the ledger's chains
	Backoff     time.Duration // first pause before a shard starts again; doubles up to 32 times as much
	StopTimeout time.Duration // for the parts that are under way when a shard is given up
	HealMarks   int           // how many of a shard's last marks are compared with the stored events

	// Client options go to every client: TLS, SASL, client id, dialer.
	Client []kgo.Opt
	// Registerer gets the metrics; nil for none.
	Registerer prometheus.Registerer
	// Logger may be nil.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Observe, if set, is told how long each stage took over how many records.
	// It is called by several goroutines at once.
	Observe func(stage Stage, took time.Duration, records int)
	// Traced, if set, is told of the way of every batch that became durable. It is
	// called by several goroutines at once, and keeps nothing of what it gets.
	Traced func(Way)
}

// SourceTopic is one declared topic. It may hold exposures, outcomes or both.
type SourceTopic struct {
	Name        string
	Partitioner ingest.Partitioner // by which its producers choose a unit's partition
	Mapping     string             // text of the mapping file; empty: native events
	Verify      string             // VerifyAccept, VerifyRequire; empty: nothing is asked
	// CopyOf names what the topic holds the copies of; see [Rekey]. Then nothing
	// is fresher than what has been copied.
	CopyOf CopySource
}

// CopySource is a topic that is keyed anew, and the group of the stages that do it.
type CopySource struct{ Topic, Group string }

// Batch bounds what goes into one part.
type Batch struct {
	Time    time.Duration // a batch this old is written as soon as the writer is free; behind the log's end, up to eight times as old
	Records int           // a batch of so many is full; one fetch more may come on top
	Total   int           // records that the batches of all shards may have together: each is full at its share
	Bytes   int           // of records' values; a batch of so many is full
	Rows    int           // a batch that may become so many delta rows is full; one fetch more may come on top
}

// DefaultConfig is a consumer of the native topics.
func DefaultConfig() Config {
	return Config{
		Topics: []SourceTopic{
			{Name: "assay.exposures", Partitioner: ingest.Murmur2},
			{Name: "assay.outcomes", Partitioner: ingest.Murmur2},
		},
		DeadLetters: "assay.deadletters",
		Batch:       Batch{Time: 250 * time.Millisecond, Records: 200_000, Total: 1_600_000, Bytes: 64 << 20, Rows: 250_000},
		StatusEvery: time.Second,
		ConfigEvery: time.Second,
		ChainEvery:  time.Minute,
		Recent:      2 * time.Minute,
		Backoff:     100 * time.Millisecond,
		StopTimeout: 10 * time.Second,
		HealMarks:   100,
	}
}

// prepare checks the configuration and fills in what may be left out.
func (c *Config) prepare() error {
	if len(c.Brokers) == 0 {
		return errors.New("no broker is named")
	}
	if len(c.Topics) == 0 || len(c.Topics) > 255 {
		return fmt.Errorf("%d topics are declared: between 1 and 255 can be", len(c.Topics))
	}
	c.Topics = slices.Clone(c.Topics)
	slices.SortFunc(c.Topics, func(a, b SourceTopic) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range c.Topics {
		if t.Name == "" || i > 0 && c.Topics[i-1].Name == t.Name || t.Name == c.DeadLetters {
			return fmt.Errorf("topic %q: a name must be there once, and not be the dead letters'", t.Name)
		}
	}
	if c.UntilEnd && c.Group != "" {
		return errors.New("until-end reads all shards: it cannot share them with a group")
	}
	for name, d := range map[string]time.Duration{"batch time": c.Batch.Time, "status interval": c.StatusEvery,
		"configuration interval": c.ConfigEvery, "chain interval": c.ChainEvery, "backoff": c.Backoff, "stop timeout": c.StopTimeout} {
		if d <= 0 {
			return fmt.Errorf("%s: %v is not above 0", name, d)
		}
	}
	if c.Batch.Records < 1 || c.Batch.Total < 1 || c.Batch.Bytes < 1 || c.Batch.Rows < 1 {
		return errors.New("a batch must have room for a record, a byte and a row")
	}
	if c.Recent < 0 {
		return fmt.Errorf("recent: %v is below 0", c.Recent)
	}
	if c.Memory < 0 {
		return fmt.Errorf("memory: %d is below 0", c.Memory)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// names are the topics' names, sorted.
func (c *Config) names() []string {
	names := make([]string, len(c.Topics))
	for i, t := range c.Topics {
		names[i] = t.Name
	}
	return names
}

// client makes a Kafka client with the options of every client and these.
func (c *Config) client(opts ...kgo.Opt) (*kgo.Client, error) {
	base := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID("assay")}
	cl, err := kgo.NewClient(slices.Concat(base, c.Client, opts)...)
	if err != nil {
		return nil, fmt.Errorf("make kafka client: %w", err)
	}
	return cl, nil
}
