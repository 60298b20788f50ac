package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	exposures = "assay.exposures"
	outcomes  = "assay.outcomes"
	letters   = "assay.deadletters"
	shards    = 4
)

// harness is a broker, a store and any number of consumers, all in a bubble
// whose clock jumps as soon as everybody waits. Nothing in it takes real time.
type harness struct {
	*testing.T
	net     *kfake.VirtualNetwork
	cluster *kfake.Cluster // nil with a broker from outside
	addrs   []string
	client  *kgo.Client
	admin   *kadm.Client
	store   *memory
	start   time.Time
	recent  time.Duration // Config.Recent
}

// bubble runs a test with topics of the given numbers of partitions; by default
// the native ones.
func bubble(t *testing.T, test func(h *harness), opts ...kfake.Opt) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &harness{T: t, net: &kfake.VirtualNetwork{}, store: newMemory(), start: time.Now()}
		if len(opts) == 0 {
			opts = []kfake.Opt{kfake.SeedTopics(shards, exposures, outcomes), kfake.SeedTopics(1, letters)}
		}
		var err error
		h.cluster, err = kfake.NewCluster(append(slices.Clone(opts), kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(h.net.Listen))...)
		if err != nil {
			t.Fatal(err)
		}
		defer h.cluster.Close()
		h.addrs = h.cluster.ListenAddrs()
		h.client, err = kgo.NewClient(kgo.SeedBrokers(h.cluster.ListenAddrs()...), kgo.Dialer(h.net.DialContext))
		if err != nil {
			t.Fatal(err)
		}
		defer h.client.Close()
		h.admin = kadm.NewClient(h.client)
		h.store.apply(version(h.start, "spend"))
		test(h)
	})
}

// version has one experiment over the day around a time, with these metrics.
func version(at time.Time, metrics ...string) experiment.Version {
	from, to := at.Add(-24*time.Hour), at.Add(24*time.Hour)
	it := experiment.Iteration{Number: 1, Start: from, EnrolUntil: to, End: to, Phases: []experiment.Phase{{Number: 1, From: from, Shares: []float64{0.5, 0.5}, Traffic: 1}}}
	for _, name := range metrics {
		it.Metrics = append(it.Metrics, experiment.Metric{Name: name, Event: "purchase", Value: "value", Kind: experiment.Mean, Decimals: 2})
	}
	return experiment.Version{Experiments: []experiment.Experiment{{
		Key: "cta", UnitKind: "user", Control: "control", Window: experiment.Duration(24 * time.Hour), Crossovers: experiment.Exclude,
		Variants:   []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "treatment", Share: 0.5}},
		Iterations: []experiment.Iteration{it},
	}}}
}

// config is a consumer's on the bubble's network.
func (h *harness) config() Config {
	cfg := DefaultConfig()
	cfg.Brokers = h.addrs
	cfg.Recent = h.recent
	if h.net != nil {
		cfg.Client = []kgo.Opt{kgo.Dialer(h.net.DialContext)}
	}
	if testing.Verbose() {
		cfg.Logger = slog.New(slog.NewTextHandler(h.Output(), nil))
	}
	return cfg
}

// consumer is a running one.
type consumer struct {
	h       *harness
	running *Consumer
	cancel  context.CancelFunc
	done    chan error
}

func (h *harness) run(cfg Config) *consumer {
	h.Helper()
	c, err := New(cfg, h.store)
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.Context())
	r := &consumer{h: h, running: c, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- c.Run(ctx) }()
	return r
}

// stop ends a consumer gently and waits for it.
func (c *consumer) stop() {
	c.h.Helper()
	c.cancel()
	if err := <-c.done; err != nil {
		c.h.Errorf("run: %v", err)
	}
}

// untilEnd runs a consumer up to the end of the topics.
func (h *harness) untilEnd(change ...func(*Config)) {
	h.Helper()
	if err := h.tryUntilEnd(change...); err != nil {
		h.Fatal(err)
	}
}

func (h *harness) tryUntilEnd(change ...func(*Config)) error {
	h.Helper()
	cfg := h.config()
	cfg.UntilEnd = true
	for _, f := range change {
		f(&cfg)
	}
	return <-h.run(cfg).done
}

// await waits until something holds, up to five minutes of the bubble's time.
func (h *harness) await(what string, holds func() bool) {
	h.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !holds(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("still not so: %s", what)
		}
	}
}

// awaitSums waits until the ledger has exactly the moments of these events.
func (h *harness) awaitSums(log []event) {
	h.Helper()
	want := brute(log)
	h.await(fmt.Sprintf("sums %v, have %v", want, h.store.sums()), func() bool { return equal(h.store.sums(), want) })
}

func (h *harness) wantSums(log []event) {
	h.Helper()
	if got, want := h.store.sums(), brute(log); !equal(got, want) {
		h.Errorf("sums are %v, want %v", got, want)
	}
	h.store.reconcile(h.T)
}

func equal(a, b map[string]sums) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// event is one native event; exposures have a variant, outcomes cents.
type event struct {
	unit, variant string
	cents         int64
}

func (h *harness) record(e event) *kgo.Record {
	ts := h.start.UnixMilli()
	r := &kgo.Record{Topic: exposures, Key: []byte(e.unit)}
	if e.variant != "" {
		r.Value = fmt.Appendf(nil, `{"type":"exposure","ts":%d,"unit":%q,"experiment":"cta","variant":%q}`, ts, e.unit, e.variant)
		return r
	}
	r.Topic = outcomes
	r.Value = fmt.Appendf(nil, `{"type":"outcome","ts":%d,"unit":%q,"event":"purchase","value":%d.%02d}`, ts, e.unit, e.cents/100, e.cents%100)
	return r
}

func (h *harness) produce(log []event) {
	h.Helper()
	var records []*kgo.Record
	for _, e := range log {
		records = append(records, h.record(e))
	}
	h.send(records...)
}

func (h *harness) send(records ...*kgo.Record) {
	h.Helper()
	if err := h.client.ProduceSync(h.Context(), records...).FirstErr(); err != nil {
		h.Fatal(err)
	}
}

// traffic is n units with an exposure each and an outcome for two of three.
func traffic(from, n int) []event {
	var log []event
	for i := from; i < from+n; i++ {
		unit := fmt.Sprintf("u-%d", i)
		log = append(log, event{unit: unit, variant: []string{"control", "treatment"}[i%2]})
		if i%3 != 0 {
			log = append(log, event{unit: unit, cents: int64(100 + i)})
		}
	}
	return log
}

// brute is what the moments must be, from the events themselves: every unit has
// one variant in these logs, and every outcome lies in its window.
func brute(log []event) map[string]sums {
	variant, total := map[string]string{}, map[string]int64{}
	for _, e := range log {
		if e.variant != "" {
			variant[e.unit] = e.variant
		}
		total[e.unit] += e.cents
	}
	n, sum, sq := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for unit, v := range variant {
		n[v]++
		sum[v] += total[unit]
		sq[v] += total[unit] * total[unit]
	}
	out := map[string]sums{}
	for v := range n {
		out["cta "+v+" spend"] = sums{n[v], fmt.Sprint(sum[v]), fmt.Sprint(sq[v])}
		out["cta "+v+" "+ingest.Units] = sums{n[v], "0", "0"}
	}
	return out
}

// consume reads n records of a topic from its beginning.
func (h *harness) consume(topic string, n int) []*kgo.Record {
	h.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(h.cluster.ListenAddrs()...), kgo.Dialer(h.net.DialContext), kgo.ConsumeTopics(topic))
	if err != nil {
		h.Fatal(err)
	}
	defer cl.Close()
	var out []*kgo.Record
	for len(out) < n {
		fetches := cl.PollFetches(h.Context())
		if err := fetches.Err(); err != nil {
			h.Fatal(err)
		}
		out = append(out, fetches.Records()...)
	}
	return out
}

func decodeJSON(t *testing.T, b []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}
