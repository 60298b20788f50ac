package announce

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/assay-dev/assay/guardrails"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a decision log.
type memory struct {
	mu      sync.Mutex
	entries []guardrails.Entry
}

func (m *memory) write(texts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range texts {
		seq := uint64(len(m.entries) + 1)
		m.entries = append(m.entries, guardrails.Entry{Seq: seq, Kind: guardrails.Decided, Experiment: "checkout", Text: text,
			Evidence: json.RawMessage(`{"large": true}`), Hash: fmt.Sprintf("hash-%d", seq)})
	}
}

func (m *memory) Entries(_ context.Context, after uint64) ([]guardrails.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.entries[after:]), nil
}

func broker(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func client(t *testing.T, c *kfake.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.ListenAddrs()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// record is what a reader of the topic needs.
type record struct {
	Seq      uint64          `json:"seq"`
	Kind     string          `json:"kind"`
	Text     string          `json:"text"`
	Hash     string          `json:"hash"`
	Evidence json.RawMessage `json:"evidence"`
}

// published waits for n records on the topic.
func published(t *testing.T, c *kfake.Cluster, n int) []record {
	t.Helper()
	reader := client(t, c, kgo.ConsumeTopics("assay.decisions"), kgo.MetadataMinAge(10*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []record
	for len(all) < n {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d records came, want %d", len(all), n)
		}
		for _, r := range fetches.Records() {
			var got record
			if err := json.Unmarshal(r.Value, &got); err != nil {
				t.Fatal(err)
			}
			all = append(all, got)
		}
	}
	return all
}

// failures is the announcer's number of rounds that failed.
func failures(t *testing.T, r *prometheus.Registry) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "assay_decisions_publish_failures_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("the failures are not among the metrics")
	return 0
}

// run lets an announcer work until f returns.
func run(t *testing.T, cfg Config, log Log, f func(*prometheus.Registry)) {
	t.Helper()
	registry := prometheus.NewRegistry()
	cfg.Metrics = registry
	cfg.Topic, cfg.Every = "assay.decisions", 5*time.Millisecond
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	a, err := New(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	f(registry)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v: that would end the guard", err)
	}
}

// TestAnnounce: each line once, in order, with its hash and without its evidence; a
// restart goes on where the topic ends.
func TestAnnounce(t *testing.T) {
	c, log := broker(t), &memory{}
	cfg := Config{Brokers: c.ListenAddrs()}
	log.write("one", "two")
	run(t, cfg, log, func(*prometheus.Registry) {
		published(t, c, 2)
		log.write("three")
		published(t, c, 3)
	})
	log.write("four")
	run(t, cfg, log, func(*prometheus.Registry) {
		var want []record
		for i, text := range []string{"one", "two", "three", "four"} {
			want = append(want, record{Seq: uint64(i + 1), Kind: "decided", Text: text, Hash: fmt.Sprintf("hash-%d", i+1)})
		}
		if diff := cmp.Diff(want, published(t, c, 4)); diff != "" {
			t.Error(diff)
		}
	})
	admin := kadm.NewClient(client(t, c))
	topics, err := admin.ListTopics(t.Context(), "assay.decisions")
	if err != nil || len(topics["assay.decisions"].Partitions) != 1 {
		t.Errorf("topics %+v, %v: want one partition", topics, err)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), "assay.decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range configs[0].Configs {
		if k.Key == "retention.ms" && *k.Value != "-1" {
			t.Errorf("the topic keeps its records %s ms", *k.Value)
		}
	}
}

// TestTopicMadeAnew: the whole log is published again.
func TestTopicMadeAnew(t *testing.T) {
	c, log := broker(t), &memory{}
	log.write("one", "two")
	run(t, Config{Brokers: c.ListenAddrs()}, log, func(*prometheus.Registry) { published(t, c, 2) })
	if _, err := kadm.NewClient(client(t, c)).DeleteTopics(t.Context(), "assay.decisions"); err != nil {
		t.Fatal(err)
	}
	log.write("three")
	run(t, Config{Brokers: c.ListenAddrs()}, log, func(*prometheus.Registry) {
		if got := published(t, c, 3); got[0].Text != "one" || got[2].Text != "three" {
			t.Errorf("published %+v", got)
		}
	})
}

// TestBrokerFails: nothing is lost and nothing ends while a broker refuses.
func TestBrokerFails(t *testing.T) {
	c, log := broker(t), &memory{}
	var mu sync.Mutex
	refused := 0
	c.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		mu.Lock()
		defer mu.Unlock()
		if refused++; refused > 3 {
			return nil, nil, false
		}
		c.KeepControl()
		return refusal(request.(*kmsg.ProduceRequest)), nil, true
	})
	log.write("one", "two")
	run(t, Config{Brokers: c.ListenAddrs()}, log, func(r *prometheus.Registry) {
		got := published(t, c, 2)
		if got[0].Seq != 1 || got[len(got)-1].Seq != 2 {
			t.Errorf("published %+v", got)
		}
		if failures(t, r) == 0 {
			t.Error("no failure was counted: this proved nothing")
		}
	})
}

// refusal is the answer of a broker that does not let the client write.
func refusal(request *kmsg.ProduceRequest) kmsg.Response {
	answer := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range request.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
			topic.Partitions = append(topic.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, topic)
	}
	return answer
}

// TestNoBroker: an announcer that reaches nobody goes on trying, and ends when told.
func TestNoBroker(t *testing.T) {
	log := &memory{}
	log.write("one")
	run(t, Config{Brokers: []string{"127.0.0.1:1"}, Timeout: 20 * time.Millisecond}, log, func(r *prometheus.Registry) {
		for failures(t, r) < 2 {
			if t.Context().Err() != nil {
				t.Fatal("no failure was counted")
			}
			<-time.After(time.Millisecond)
		}
	})
}

// TestForeignTopic: a topic that holds something else is left alone.
func TestForeignTopic(t *testing.T) {
	c, log := broker(t, kfake.SeedTopics(1, "assay.decisions")), &memory{}
	if err := client(t, c).ProduceSync(t.Context(), &kgo.Record{Topic: "assay.decisions", Value: []byte(`{"order": 7}`)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	log.write("one")
	a, err := New(Config{Topic: "assay.decisions", Brokers: c.ListenAddrs()}, log)
	if err != nil {
		t.Fatal(err)
	}
	a.client = client(t, c)
	if err := a.publish(t.Context()); err == nil || !strings.Contains(err.Error(), "is no decision") {
		t.Errorf("published over it: %v", err)
	}
	if got := published(t, c, 1); got[0].Seq != 0 {
		t.Errorf("the topic now begins with %+v", got)
	}
}
