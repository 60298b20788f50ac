package realkafka_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/internal/realkafka"
)

// TestBrokerKeepsItsRecords kills a broker and finds in the next one what the
// first had acknowledged; the same client goes on.
func TestBrokerKeepsItsRecords(t *testing.T) {
	cluster := realkafka.For(t, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "things"); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		value := fmt.Sprint(i)
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "things", Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			cluster.Kill(1)
			if err := cluster.Restart(1); err != nil {
				t.Fatal(err)
			}
		}
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.ConsumeTopics("things"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var got []string
	for len(got) < 2 {
		for _, r := range reader.PollFetches(t.Context()).Records() {
			got = append(got, string(r.Value))
		}
	}
	if fmt.Sprint(got) != "[0 1]" {
		t.Errorf("the records are %v", got)
	}
}
