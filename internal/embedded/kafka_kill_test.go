package embedded_test

import (
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/embedded"
)

func connect(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addr))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// What was acknowledged is there after kill -9: records, the topic's id,
// committed offsets.
func TestKafkaSurvivesKill(t *testing.T) {
	t.Parallel()
	const records = 5000
	dir := t.TempDir()
	process, addr := startHolder(t, holdKafka, dir)
	client := connect(t, addr)
	var batch []*kgo.Record
	for i := range records {
		batch = append(batch, &kgo.Record{Topic: "t", Key: []byte(strconv.Itoa(i)), Value: []byte(strconv.Itoa(i))})
	}
	if err := client.ProduceSync(t.Context(), batch...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	before, err := kadm.NewClient(client).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	offsets := kadm.OffsetsFromRecords(*batch[0])
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "g", offsets); err != nil {
		t.Fatal(err)
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed, as it should

	k, err := embedded.StartKafka(t.Context(), embedded.KafkaConfig{Dir: dir, Topics: map[string]int32{"t": 2}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	consumer := connect(t, k.Addr(), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]int{}
	for len(seen) < records {
		fetches := consumer.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	for value, n := range seen {
		if n != 1 {
			t.Errorf("record %s is there %d times", value, n)
		}
	}
	admin := kadm.NewClient(consumer)
	after, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if before["t"].ID != after["t"].ID {
		t.Errorf("topic id changed from %s to %s", before["t"].ID, after["t"].ID)
	}
	committed, err := admin.FetchOffsets(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	if len(committed.Offsets().Sorted()) != 1 {
		t.Errorf("committed offsets after kill: %v, want one", committed)
	}
}
