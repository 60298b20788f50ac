package doctor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// records are well-formed exposures of n units, each in the partition that the
// partitioner chooses, written a second after they happened.
func records(n int, partitions int32, by ingest.Partitioner) []Sample {
	out := make([]Sample, n)
	for i := range out {
		unit := fmt.Sprintf("u-%d", i)
		out[i] = Sample{
			Partition: ingest.Partition([]byte(unit), partitions, by), Key: unit, Unit: unit, UnitKind: "user",
			Type: ingest.Exposure, ID: fmt.Sprintf("id-%d", i), T: now.UnixMilli(), KafkaT: now.Add(time.Second).UnixMilli(),
		}
	}
	return out
}

// expect holds the one finding of a check against a level and words of it.
func expect(t *testing.T, findings []Finding, check string, level Level, words ...string) {
	t.Helper()
	found := 0
	for _, f := range findings {
		if f.Check != check {
			continue
		}
		found++
		if f.Level != level {
			t.Errorf("%s: %s, want %s: %s", check, f.Level, level, f.Detail)
		}
		for _, w := range words {
			if !strings.Contains(f.Detail+" "+f.Remedy, w) {
				t.Errorf("%s: %q is not said: %s — %s", check, w, f.Detail, f.Remedy)
			}
		}
		if level >= Warn && f.Remedy == "" {
			t.Errorf("%s: no remedy for %s", check, f.Detail)
		}
	}
	if found != 1 {
		t.Errorf("%d findings of %s, want 1: %v", found, check, findings)
	}
}

func TestHealthyTopic(t *testing.T) {
	topic := Topic{Name: "t", Exists: true, Partitions: 8, Partitioner: "murmur2", Samples: records(100, 8, ingest.Murmur2)}
	if got := Worst(append(CheckSamples(topic), CheckTopics([]Topic{topic})...)); got != OK {
		t.Errorf("a healthy topic is %s: %v", got, CheckSamples(topic))
	}
}

func TestPartitioner(t *testing.T) {
	for _, c := range []struct {
		name     string
		by       ingest.Partitioner
		declared string
		spoil    int // records moved to another partition
		level    Level
		word     string
	}{
		{"another one fits", ingest.CRC32, "murmur2", 0, Fault, "partitioner: crc32"},
		{"and the third", ingest.FNV1a, "crc32", 0, Fault, "partitioner: fnv1a"},
		{"none fits", ingest.Murmur2, "murmur2", 1000, Fault, "partitioner: any"},
		{"one stray among thousands", ingest.Murmur2, "murmur2", 1, Warn, "over 99.9 %"},
		{"any needs none", ingest.CRC32, "any", 0, OK, "every partition"},
	} {
		t.Run(c.name, func(t *testing.T) {
			topic := Topic{Name: "t", Exists: true, Partitions: 8, Partitioner: c.declared, Samples: records(2000, 8, c.by)}
			for i := range c.spoil {
				topic.Samples[i].Partition = (topic.Samples[i].Partition + 1) % 8
			}
			expect(t, CheckSamples(topic), Partitioner, c.level, c.word)
		})
	}
}

func TestClocks(t *testing.T) {
	for _, c := range []struct {
		name  string
		lag   time.Duration
		level Level
		word  string
	}{
		{"ahead", -3 * time.Minute, Warn, "ahead"},
		{"two hours to the minute", 2*time.Hour + 20*time.Second, Warn, "local time"},
		{"late by some other span", 100 * time.Minute, Note, "1h40m0s"},
		{"prompt", 800 * time.Millisecond, OK, "800ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			topic := Topic{Name: "t", Partitions: 4, Partitioner: "murmur2", Samples: records(50, 4, ingest.Murmur2)}
			for i := range topic.Samples {
				topic.Samples[i].KafkaT = topic.Samples[i].T + c.lag.Milliseconds()
			}
			expect(t, CheckSamples(topic), Clocks, c.level, c.word)
		})
	}
}

func TestRestampedRetries(t *testing.T) {
	topic := Topic{Name: "t", Partitions: 4, Partitioner: "murmur2", Samples: records(30, 4, ingest.Murmur2)}
	retry := topic.Samples[3]
	topic.Samples = append(topic.Samples, retry) // the same event again: a duplicate, and fine
	for _, f := range CheckSamples(topic) {
		if f.Check == Stamps {
			t.Errorf("a plain duplicate is reported: %v", f)
		}
	}
	retry.T += 40
	topic.Samples = append(topic.Samples, retry)
	expect(t, CheckSamples(topic), Stamps, Warn, "1 of 32")
}

func TestDecoding(t *testing.T) {
	topic := Topic{Name: "t", Partitions: 1, Partitioner: "murmur2", Samples: records(10, 1, ingest.Murmur2)}
	for range 3 {
		topic.Samples = append(topic.Samples, Sample{Dead: ingest.Filtered})
	}
	expect(t, CheckSamples(topic), Decoding, OK, "10 are exposures", "3 left aside")
	topic.Samples = append(topic.Samples, Sample{Dead: ingest.BadTime, Detail: "no zone"})
	expect(t, CheckSamples(topic), Decoding, Warn, "bad_time 1 (no zone)", "7.1 %")
	for range 40 {
		topic.Samples = append(topic.Samples, Sample{Dead: ingest.NoType})
	}
	expect(t, CheckSamples(topic), Decoding, Fault, "mapping")
}

func TestKeys(t *testing.T) {
	topic := Topic{Name: "t", Partitions: 1, Partitioner: "murmur2", Samples: records(10, 1, ingest.Murmur2)}
	topic.Samples[0].Key, topic.Samples[1].Key = "", "order-7"
	expect(t, CheckSamples(topic), Keys, Note, "1 of 10 records have no key, 1 another key")
}

func TestCheckTopics(t *testing.T) {
	good := Topic{Name: "a", Exists: true, Partitions: 4}
	expect(t, CheckTopics([]Topic{good, {Name: "b"}}), Topics, Fault, "does not exist")
	expect(t, CheckTopics([]Topic{good, {Name: "b", Exists: true, Partitions: 8}}), Topics, Fault, "unequal", "a has 4, b has 8")
	expect(t, CheckTopics([]Topic{good, {Name: "b", Exists: true, Partitions: 8, Partitioner: "any"}}), Topics, OK)
	for setting, value := range map[string]string{"cleanup.policy": "compact,delete", "retention.ms": "3600000"} {
		topic := good
		topic.Settings = map[string]string{setting: value}
		expect(t, CheckTopics([]Topic{topic}), Topics, Warn, setting)
	}
	endless := good
	endless.Settings = map[string]string{"retention.ms": "-1"}
	expect(t, CheckTopics([]Topic{endless}), Topics, OK)
}

func TestCheckShards(t *testing.T) {
	fresh := Shard{State: "ok", Freshness: now, At: now}
	expect(t, CheckShards([]Shard{fresh}, 1, now), Shards, OK)
	expect(t, CheckShards([]Shard{fresh}, 2, now), Shards, Fault, "ever read")
	expect(t, CheckShards([]Shard{{State: "gap", Detail: "9 lost", Freshness: now, At: now}}, 1, now), Shards, Fault, "gap: 9 lost")
	expect(t, CheckShards([]Shard{{State: "ok", Freshness: now, At: now.Add(-time.Minute)}}, 1, now), Shards, Fault, "1m0s")
	expect(t, CheckShards([]Shard{{State: "ok", Freshness: now.Add(-2 * time.Minute), At: now}}, 1, now), Shards, Warn, "2m0s behind")
}

func TestTheOthers(t *testing.T) {
	expect(t, CheckExperiments(nil), Unknown, OK)
	expect(t, CheckExperiments([]Stranger{{"new-cta", 12, now}}), Unknown, Warn, "12 exposures", "2026-03-01T12:00:00Z")
	expect(t, CheckSwitches([]Tried{{Switch: "web", Experiment: "cta", On: true}}), Switches, OK, "on")
	expect(t, CheckRamps([]Ramped{{Switch: "web", Experiment: "cta", Traffic: .1, Has: true}}), Ramps, OK, "10 %")
	expect(t, CheckRamps([]Ramped{{Switch: "web", Experiment: "cta", Traffic: .1, Reads: "37 %"}}), Ramps, Fault, "has 37 %, the step 10 %")
	expect(t, CheckRamps([]Ramped{{Switch: "web", Experiment: "cta", Cannot: "it has no ramp"}}), Ramps, Fault, "it has no ramp")
	expect(t, CheckRamps([]Ramped{{Switch: "web", Experiment: "cta", Err: errors.New("401")}}), Ramps, Fault, "cannot be read: 401")
	expect(t, CheckSignals([]Asked{{Experiment: "cta", Signal: "p99", Unit: "s", Value: .25}}), Signals, OK, "it is 0.25 s")
	expect(t, CheckSignals([]Asked{{Experiment: "cta", Signal: "p99", Gap: "no_data", Passes: true}}), Signals, Warn, "no_data")
	expect(t, CheckSignals([]Asked{{Experiment: "cta", Signal: "p99", Gap: "bad_query", Detail: "parse error", Pauses: true}}), Signals, Fault, "bad_query: parse error; its ramp waits")
	expect(t, CheckSwitches([]Tried{{Switch: "web", Experiment: "cta", Err: errors.New("401"), Remedy: "it needs a token"}}), Switches, Fault, "401")
	expect(t, ListChannels(nil), Channels, Note, "tells nobody")
	expect(t, ListChannels([]string{"slack", "email"}), Channels, OK, "not tried")
	expect(t, CheckChannels([]Told{{"slack", nil}}), Channels, OK, "took a test message")
	expect(t, CheckChannels([]Told{{"slack", errors.New("invalid_auth")}}), Channels, Fault, "invalid_auth")
	expect(t, CheckChannels(nil), Channels, Note, "tells nobody")
	expect(t, CheckLedger(nil), Ledger, OK)
	expect(t, CheckLedger(map[uint16]string{3: "a mark is missing"}), Ledger, Fault, "a mark is missing")
}

func TestSortAndWorst(t *testing.T) {
	list := []Finding{{Level: OK, Check: "a"}, {Level: Fault, Check: "b"}, {Level: Warn, Check: "c"}, {Level: Fault, Check: "d"}}
	Sort(list)
	if got := list[0].Check + list[1].Check + list[2].Check + list[3].Check; got != "bdca" {
		t.Errorf("order %s", got)
	}
	if Worst(list) != Fault || Worst(nil) != OK {
		t.Error("the worst level is wrong")
	}
}

func TestCheckMappings(t *testing.T) {
	expect(t, CheckMappings("t", nil), Mapping, Warn, "no mapping fits")
	expect(t, CheckMappings("t", []Proposal{{Share: 1}}), Mapping, Warn, "draft below")
	expect(t, CheckMappings("t", []Proposal{{Mapping: "segment", Share: 0.975, Exposures: 3, Outcomes: 4, Filtered: 5}, {Mapping: "otel", Share: 0.1}}),
		Mapping, Note, "segment reads 97.5 %", "3 exposures, 4 outcomes, 5 left aside", "mapping: segment")
	expect(t, CheckMappings("t", []Proposal{{Mapping: "split", Share: 1, Several: true}}), Mapping, Note, "100 %", "partitioner: any")
}
