package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/assay-dev/assay/ingest"
)

const raw = "raw" // its producers key by something else than the unit

// unkeyed runs a test with a topic of three partitions that is keyed anew, beside
// one of native outcomes.
func unkeyed(t *testing.T, test func(h *harness)) {
	t.Helper()
	bubble(t, test, kfake.SeedTopics(3, raw), kfake.SeedTopics(shards, outcomes), kfake.SeedTopics(1, letters))
}

func (h *harness) rekeyConfig() RekeyConfig {
	cfg := DefaultRekeyConfig()
	cfg.Brokers, cfg.Topic, cfg.Partitions, cfg.Convert = h.addrs, raw, shards, ConvertNative()
	cfg.Client, cfg.Logger = h.config().Client, h.config().Logger
	return cfg
}

func (h *harness) stage(cfg RekeyConfig) *Rekey {
	h.Helper()
	r, err := NewRekey(cfg)
	if err != nil {
		h.Fatal(err)
	}
	if err := r.Prepare(h.Context()); err != nil {
		h.Fatal(err)
	}
	return r
}

// copying runs a stage until the function is called that it returns.
func (h *harness) copying(cfg RekeyConfig) (stop func()) {
	h.Helper()
	r := h.stage(cfg)
	ctx, cancel := context.WithCancel(h.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			h.Errorf("run: %v", err)
		}
	}
}

// readCopies is a consumer's configuration of the copies.
func readCopies(c *Config) {
	c.Topics = []SourceTopic{
		{Name: CopyTopic(raw), Partitioner: ingest.Murmur2, CopyOf: CopySource{raw, DefaultRekeyConfig().Group}},
		{Name: outcomes, Partitioner: ingest.Murmur2},
	}
}

// misKeyed are the events as records of the raw topic under a few keys that say
// nothing, every third with an id and written twice.
func (h *harness) misKeyed(log []event) (records []*kgo.Record) {
	for i, e := range log {
		r := h.record(e)
		r.Topic, r.Key = raw, fmt.Appendf(nil, "session-%d", i%7)
		records = append(records, r)
		if i%3 == 0 {
			r.Value = []byte(strings.Replace(string(r.Value), "{", fmt.Sprintf(`{"id":"i-%d",`, i), 1))
			again := *r
			records = append(records, &again)
		}
	}
	return records
}

// forget makes the broker refuse n commits of the stages, as if they had died
// after they had written.
func (h *harness) forget(n int) {
	h.cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		h.cluster.KeepControl()
		commit := req.(*kmsg.OffsetCommitRequest)
		if n--; commit.Group != DefaultRekeyConfig().Group || n < 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, t := range commit.Topics {
			answer := kmsg.NewOffsetCommitResponseTopic()
			answer.Topic, answer.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				part := kmsg.NewOffsetCommitResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, kerr.InvalidCommitOffsetSize.Code
				answer.Partitions = append(answer.Partitions, part)
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
}

// sendLarge takes what the client's default batch does not.
func (h *harness) sendLarge(r *kgo.Record) {
	h.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(h.addrs...), kgo.Dialer(h.net.DialContext), kgo.ProducerBatchMaxBytes(1_040_000))
	if err != nil {
		h.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(h.Context(), r).FirstErr(); err != nil {
		h.Fatal(err)
	}
}

// A producer that keys by something else, and a stage that writes what it had
// written before: the sums are those of a well-keyed topic.
//
// semantics: copies
func TestRekeyedSums(t *testing.T) {
	unkeyed(t, func(h *harness) {
		stop := h.copying(h.rekeyConfig())
		cfg := h.config()
		readCopies(&cfg)
		c := h.run(cfg)
		log := traffic(0, 60)
		h.forget(3)
		h.send(h.misKeyed(log)...)
		h.awaitSums(log)
		more := traffic(60, 60)
		h.forget(2)
		h.send(h.misKeyed(more)...)
		log = append(log, more...)
		h.awaitSums(log)
		counts := h.store.counted()[CopyTopic(raw)]
		produced := (len(h.misKeyed(log[:len(log)-len(more)])) + len(h.misKeyed(more)))
		if twice := produced - len(log); counts.Duplicate <= uint64(twice) || counts.Misplaced+counts.Dead > 0 {
			h.Errorf("%+v: want more than the producer's %d duplicates, none misplaced, none dead", counts, twice)
		}
		stop()
		c.stop()
		h.wantSums(log)

		// The state comes back from the rows alone.
		later := []event{{unit: "u-1", cents: 5}, {unit: "u-2", cents: 7}}
		h.send(h.misKeyed(later)...)
		until := h.rekeyConfig()
		until.UntilEnd = true
		if err := h.stage(until).Run(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.untilEnd(readCopies)
		h.wantSums(append(log, later...))
	})
}

// Nothing of the source is lost: what is no event is counted as dead, by its reason.
//
// semantics: filtered
func TestRekeyedDeadLetters(t *testing.T) {
	unkeyed(t, func(h *harness) {
		native := ConvertNative()
		cfg := h.rekeyConfig()
		cfg.UntilEnd = true
		cfg.Convert = func(rec ingest.Record) ([]Keyed, *ingest.Dead) {
			if string(rec.Value) == "evaluation" {
				return nil, &ingest.Dead{Reason: ingest.Filtered, Size: len(rec.Value), Position: -1}
			}
			return native(rec)
		}
		future := fmt.Sprintf(`{"type":"outcome","ts":%d,"unit":"u","event":"purchase"}`, h.start.UnixMilli()+ingest.FutureLimit+60_000)
		noise := make([]byte, 1_010_000) // more than a batch holds, less than is decoded
		for i := range noise {
			noise[i] = byte(i*i>>3) | 1
		}
		for _, value := range []string{"evaluation", "nonsense", `{"unit":"u","type":"x"}`, `{"type":"outcome"}`, future} {
			h.send(&kgo.Record{Topic: raw, Value: []byte(value)})
		}
		h.sendLarge(&kgo.Record{Topic: raw, Value: noise})
		if err := h.stage(cfg).Run(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.untilEnd(readCopies)
		got := map[ingest.Reason]int{}
		for _, d := range h.store.dead {
			got[d.Reason]++
		}
		want := map[ingest.Reason]int{ingest.Filtered: 1, ingest.BadJSON: 1, ingest.NoType: 1, ingest.MissingField: 1, ingest.Future: 1, ingest.TooLarge: 1}
		if diff := cmp.Diff(want, got); diff != "" {
			h.Errorf("dead letters by reason (-want +got):\n%s", diff)
		}
		h.store.reconcile(h.T)
		if notes := h.consume(letters, len(want)-1); len(notes) != len(want)-1 {
			h.Errorf("%d notes, want one of each but the filtered one", len(notes))
		}
	})
}

// The copies that were read to their end say nothing about a source whose stage
// stands still.
func TestFreshnessOfCopies(t *testing.T) {
	unkeyed(t, func(h *harness) {
		stop := h.copying(h.rekeyConfig())
		cfg := h.config()
		readCopies(&cfg)
		c := h.run(cfg)
		h.send(h.misKeyed(traffic(0, 20))...)
		age := func() time.Duration {
			oldest := time.Duration(0)
			for shard := range uint16(shards) {
				oldest = max(oldest, time.Since(h.store.statusOf(shard).Freshness))
			}
			return oldest
		}
		h.await("fresh while the stage copies", func() bool { return age() < 5*time.Second })
		stop()
		stopped := time.Now()
		h.send(h.misKeyed(traffic(20, 20))...)
		h.await("old when it does not", func() bool { return age() > time.Minute })
		if limit := time.Since(stopped) + 5*time.Second; age() > limit {
			h.Errorf("%v old, nothing lacks of what is older than %v", age(), limit)
		}
		stop = h.copying(h.rekeyConfig())
		h.await("fresh again", func() bool { return age() < 5*time.Second })
		stop()
		c.stop()
	})
}

func TestRekeyMakesItsTopic(t *testing.T) {
	unkeyed(t, func(h *harness) {
		h.cluster.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
			resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
			answer := kmsg.NewCreateTopicsResponseTopic()
			answer.Topic, answer.ErrorCode = CopyTopic(raw), kerr.TopicAuthorizationFailed.Code
			resp.Topics = append(resp.Topics, answer)
			return resp, nil, true
		})
		r, err := NewRekey(h.rekeyConfig())
		if err != nil {
			h.Fatal(err)
		}
		var topics *TopicsError
		if err := r.Prepare(h.Context()); !errors.As(err, &topics) || !strings.Contains(topics.Error(), CopyTopic(raw)) || !strings.Contains(topics.Hint(), "4 partitions") {
			h.Errorf("a topic that may not be made: %v", err)
		}
		for range 2 { // the second time it is there
			if err := r.Prepare(h.Context()); err != nil {
				h.Error(err)
			}
		}
		if l, err := describe(h.Context(), h.client, []string{CopyTopic(raw)}); err != nil || l.partitions != shards {
			h.Errorf("%d partitions, %v; want %d", l.partitions, err, shards)
		}
	})
}

// Records that were deleted before they were copied stop the stage, until somebody
// accepts that.
func TestRekeyGap(t *testing.T) {
	unkeyed(t, func(h *harness) {
		until := h.rekeyConfig()
		until.UntilEnd = true
		h.send(h.misKeyed(traffic(0, 30))...)
		if err := h.stage(until).Run(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.send(h.misKeyed(traffic(30, 30))...)
		for p := range int32(3) {
			if err := h.cluster.DeleteRecords(raw, p, -1); err != nil {
				h.Fatal(err)
			}
		}
		log := traffic(60, 30)
		h.send(h.misKeyed(log)...)
		ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
		defer cancel()
		r := h.stage(until)
		if err := r.copy(ctx, nil); err == nil || !strings.Contains(err.Error(), "--accept-gap") {
			h.Errorf("the stage ended with %v", err)
		}
		until.AcceptGap = true
		if err := h.stage(until).Run(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.untilEnd(readCopies)
		h.wantSums(append(traffic(0, 30), log...))
	})
}

// Events of one record that look alike are two, however often they are copied.
func TestRekeyedLists(t *testing.T) {
	unkeyed(t, func(h *harness) {
		cfg := h.rekeyConfig()
		cfg.UntilEnd = true
		native := ConvertNative()
		cfg.Convert = func(rec ingest.Record) (list []Keyed, _ *ingest.Dead) {
			for line := range bytes.SplitSeq(rec.Value, []byte("\n")) {
				events, _ := native(ingest.Record{Value: line})
				list = append(list, events...)
			}
			return list, nil
		}
		log := []event{{unit: "u-1", variant: "control"}, {unit: "u-2", variant: "treatment"}, {unit: "u-1", cents: 300}, {unit: "u-1", cents: 300}, {unit: "u-2", cents: 500}}
		var lines [][]byte
		for _, e := range log {
			lines = append(lines, h.record(e).Value)
		}
		h.send(&kgo.Record{Topic: raw, Value: bytes.Join(lines, []byte("\n"))})
		h.forget(2)
		if err := h.stage(cfg).Run(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.untilEnd(readCopies)
		h.wantSums(log)
		if n := h.store.counted()[CopyTopic(raw)].Duplicate; n != uint64(2*len(log)) {
			h.Errorf("%d duplicates, want each event twice again", n)
		}
	})
}
