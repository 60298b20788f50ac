package embedded

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func startTestKafka(t *testing.T, dir string, topics map[string]int32) *Kafka {
	t.Helper()
	k, err := StartKafka(t.Context(), KafkaConfig{Dir: dir, Topics: topics})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func kafkaClient(t *testing.T, k *Kafka) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func produce(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// describe returns what must survive: ids, and ends by partition.
func describe(t *testing.T, k *Kafka) map[string][]int64 {
	t.Helper()
	admin := kadm.NewClient(kafkaClient(t, k))
	topics, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ends, err := admin.ListEndOffsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]int64{}
	for _, topic := range topics.Sorted() {
		key := topic.Topic + " " + topic.ID.String()
		for _, p := range topic.Partitions.Sorted() {
			end, _ := ends.Lookup(topic.Topic, p.Partition)
			got[key] = append(got[key], end.Offset)
		}
	}
	return got
}

func TestKafkaKeepsItsTopics(t *testing.T) {
	dir := t.TempDir()
	first := startTestKafka(t, dir, map[string]int32{"a": 2})
	produce(t, kafkaClient(t, first), &kgo.Record{Topic: "a", Value: []byte("x")}, &kgo.Record{Topic: "a", Partition: 1, Value: []byte("y")})
	want := describe(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	// A topic named again keeps its partitions, a new one is made.
	second := startTestKafka(t, dir, map[string]int32{"a": 7, "b": 3})
	got := describe(t, second)
	for topic, ends := range want {
		if diff := cmp.Diff(ends, got[topic]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", topic, diff)
		}
	}
	if len(got) != 2 {
		t.Errorf("topics after the restart: %v, want 2", got)
	}
}

func TestKafkaNeverDeletes(t *testing.T) {
	k := startTestKafka(t, t.TempDir(), map[string]int32{"a": 1})
	lastSpring := time.Now().AddDate(0, -8, 0)
	produce(t, kafkaClient(t, k), &kgo.Record{Topic: "a", Value: []byte("x"), Timestamp: lastSpring})
	k.cluster.ApplyRetention()
	starts, err := kadm.NewClient(kafkaClient(t, k)).ListStartOffsets(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if start, _ := starts.Lookup("a", 0); start.Offset != 0 {
		t.Errorf("the log starts at %d, want 0", start.Offset)
	}
}

func TestKafkaRefusesASecondProcess(t *testing.T) {
	dir := t.TempDir()
	startTestKafka(t, dir, nil)
	if k, err := StartKafka(t.Context(), KafkaConfig{Dir: dir}); err == nil {
		k.Close()
		t.Fatal("two brokers in one directory")
	}
}

func TestKafkaCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	k, err := StartKafka(t.Context(), KafkaConfig{Dir: t.TempDir(), Topics: map[string]int32{"a": 8}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
	goleak.VerifyNone(t, before)
}
