package kafka

import (
	"testing"
)

func TestSample(t *testing.T) {
	bubble(t, func(h *harness) {
		h.produce(traffic(0, 300))
		got, err := Sample(h.Context(), h.config(), []string{exposures, "nowhere", letters}, 40)
		if err != nil {
			h.Fatal(err)
		}
		if len(got) != 3 || !got[0].Exists || got[1].Exists || !got[2].Exists {
			h.Fatalf("topics: %+v", got)
		}
		s := got[0]
		if s.Partitions != shards || s.Settings["cleanup.policy"] != "delete" {
			h.Errorf("%d partitions, cleanup.policy %q", s.Partitions, s.Settings["cleanup.policy"])
		}
		// At most n/partitions + 1 of each partition, and the last ones.
		ends, err := h.admin.ListEndOffsets(h.Context(), exposures)
		if err != nil {
			h.Fatal(err)
		}
		count, last := map[int32]int{}, map[int32]int64{}
		for _, r := range s.Records {
			count[r.Partition]++
			last[r.Partition] = max(last[r.Partition], r.Place.Offset)
			if len(r.Key) == 0 || len(r.Value) == 0 || r.KafkaT != h.start.UnixMilli() {
				h.Fatalf("an incomplete record: %+v", r)
			}
		}
		for p := range int32(shards) {
			end, _ := ends.Lookup(exposures, p)
			if count[p] != 40/shards+1 || last[p] != end.Offset-1 {
				h.Errorf("partition %d of %d records: %d sampled, up to offset %d", p, end.Offset, count[p], last[p])
			}
		}
		if len(got[2].Records) != 0 {
			h.Errorf("an empty topic has %d records", len(got[2].Records))
		}
	})
}
