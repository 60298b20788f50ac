package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// A shard is partition P of every declared topic, however many there are, and each
// may hold both types.
func TestThreeTopicsOfBothTypes(t *testing.T) {
	names := []string{"app", "shop", "web"}
	bubble(t, func(h *harness) {
		three := func(c *Config) {
			c.Topics = nil
			for _, name := range names {
				c.Topics = append(c.Topics, SourceTopic{Name: name, Partitioner: ingest.Murmur2})
			}
		}
		log := traffic(0, 90)
		for i, e := range log {
			r := h.record(e)
			r.Topic = names[i%3]
			h.send(r)
		}
		h.untilEnd(three)
		h.wantSums(log)
		types := map[string]map[ingest.Type]bool{}
		for p, e := range h.store.events {
			if types[p.topic] == nil {
				types[p.topic] = map[ingest.Type]bool{}
			}
			types[p.topic][e.Type] = true
		}
		for _, name := range names {
			if len(types[name]) != 2 {
				h.Errorf("topic %s gave the types %v, want both", name, types[name])
			}
		}
		more := traffic(90, 30)
		for i, e := range more {
			r := h.record(e)
			r.Topic = names[(i+1)%3]
			h.send(r)
		}
		h.untilEnd(three) // the state comes back from three topics
		h.wantSums(append(log, more...))
	}, kfake.SeedTopics(shards, names...), kfake.SeedTopics(1, letters))
}

// Whatever the producers compress with is read. There is no bubble: the garbage
// collector closes the client's pooled decoders, and must not be in one.
func TestCodecs(t *testing.T) {
	h := &harness{T: t, store: newMemory(), start: time.Now()}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(shards, exposures, outcomes), kfake.SeedTopics(1, letters))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	h.addrs = cluster.ListenAddrs()
	h.store.apply(version(h.start, "spend"))
	var log []event
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		part := traffic(100*i, 100)
		log = append(log, part...)
		h.produceWith(codec, part)
	}
	h.untilEnd()
	h.wantSums(log)
	if c := h.store.counted(); c[exposures].Dead+c[outcomes].Dead > 0 {
		t.Errorf("dead records: %+v", c)
	}
}

func (h *harness) produceWith(codec kgo.CompressionCodec, log []event) {
	h.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(h.addrs...), kgo.ProducerBatchCompression(codec))
	if err != nil {
		h.Fatal(err)
	}
	defer cl.Close()
	var records []*kgo.Record
	for _, e := range log {
		records = append(records, h.record(e))
	}
	if err := cl.ProduceSync(h.Context(), records...).FirstErr(); err != nil {
		h.Error(err)
	}
}
