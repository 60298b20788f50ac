package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// Sample is one record of a topic, decoded as the topic is declared.
type Sample struct {
	Partition int32
	Key       string
	Unit      string // the unit's id; empty when the record could not be decoded
	UnitKind  string
	Type      ingest.Type
	ID        string
	T, KafkaT int64         // milliseconds
	Dead      ingest.Reason // why it is no event; empty when it is one
	Detail    string        // of the dead
}

// enough samples make a share worth a verdict.
const enough = 20

// CheckSamples looks at the records of one topic.
func CheckSamples(t Topic) []Finding {
	if len(t.Samples) == 0 {
		return []Finding{{Note, Decoding, t.Name, "the topic holds no record", "send some, or try `assay simulate`"}}
	}
	out := []Finding{checkDecoding(t)}
	events := slices.Clone(t.Samples)
	events = slices.DeleteFunc(events, func(s Sample) bool { return s.Dead != "" })
	if len(events) == 0 {
		return out
	}
	t.Samples = events
	out = append(out, checkPartitioner(t), checkKeys(t), checkClocks(t))
	if f, bad := checkStamps(t); bad {
		out = append(out, f)
	}
	return out
}

func checkDecoding(t Topic) Finding {
	n, exposures, outcomes, filtered := len(t.Samples), 0, 0, 0
	reasons := map[string]int{}
	first := map[string]string{}
	for _, s := range t.Samples {
		switch {
		case s.Dead == ingest.Filtered:
			filtered++
		case s.Dead != "":
			reasons[string(s.Dead)]++
			if first[string(s.Dead)] == "" {
				first[string(s.Dead)] = s.Detail
			}
		case s.Type == ingest.Exposure:
			exposures++
		default:
			outcomes++
		}
	}
	dead := n - exposures - outcomes - filtered
	f := Finding{OK, Decoding, t.Name, fmt.Sprintf("of %d records %d are exposures, %d outcomes, %d left aside by the mapping", n, exposures, outcomes, filtered), ""}
	if dead == 0 {
		return f
	}
	f.Level = Warn
	f.Remedy = "the dead letters' places are in table dead_letters; mend the producer, they cannot count"
	if 2*dead > n {
		f.Level = Fault
		f.Remedy = "name the topic's format in kafka.topics: mapping; the proposal below may fit"
	}
	var causes []string
	for r, k := range reasons {
		causes = append(causes, fmt.Sprintf("%s %d (%s)", r, k, first[r]))
	}
	slices.Sort(causes)
	f.Detail += fmt.Sprintf("; %s are dead letters: %s", percent(dead, n), strings.Join(causes, ", "))
	return f
}

// checkPartitioner tries the partitioners on where the records really are.
func checkPartitioner(t Topic) Finding {
	f := Finding{OK, Partitioner, t.Name, "", ""}
	if t.Partitions == 1 || t.Partitioner == "any" {
		f.Detail = "every partition will do"
		return f
	}
	fits := map[ingest.Partitioner]int{}
	for _, s := range t.Samples {
		for p := ingest.Murmur2; p <= ingest.FNV1a; p++ {
			if ingest.Partition([]byte(s.Unit), t.Partitions, p) == s.Partition {
				fits[p]++
			}
		}
	}
	n := len(t.Samples)
	declared, _ := ingest.ParsePartitioner(t.Partitioner)
	f.Detail = fmt.Sprintf("%s of %d records lie where %s puts their unit", percent(fits[declared], n), n, t.Partitioner)
	if fits[declared] == n {
		return f
	}
	f.Level = Fault
	f.Remedy = "no partitioner fits: let producers key by the unit, or declare the topic with partitioner: any"
	for p := ingest.Murmur2; p <= ingest.FNV1a; p++ {
		if fits[p] == n && n >= enough {
			f.Remedy = fmt.Sprintf("declare the topic with partitioner: %s, which fits all of them", p)
		}
	}
	if 1000*(n-fits[declared]) <= n {
		f.Level = Warn
		f.Remedy = "some producer keys by something else than the unit: its records are stored and never counted"
	}
	return f
}

func checkKeys(t Topic) Finding {
	without, other := 0, 0
	for _, s := range t.Samples {
		switch s.Key {
		case s.Unit:
		case "":
			without++
		default:
			other++
		}
	}
	f := Finding{OK, Keys, t.Name, "every record's key is its unit", ""}
	if without+other > 0 {
		f.Level = Note
		f.Detail = fmt.Sprintf("%d of %d records have no key, %d another key than their unit: the unit in the value decides, so this matters only through the partition",
			without, len(t.Samples), other)
	}
	return f
}

// checkClocks compares event times with the records' timestamps.
func checkClocks(t Topic) Finding {
	lags := make([]time.Duration, 0, len(t.Samples))
	ahead := 0
	for _, s := range t.Samples {
		lag := time.Duration(s.KafkaT-s.T) * time.Millisecond
		lags = append(lags, lag)
		if lag < -time.Minute {
			ahead++
		}
	}
	slices.Sort(lags)
	median := lags[len(lags)/2]
	f := Finding{OK, Clocks, t.Name, fmt.Sprintf("events are %v old when they are written (median; the oldest %v)",
		median.Round(time.Millisecond), lags[len(lags)-1].Round(time.Second)), ""}
	hour := median.Round(time.Hour)
	switch {
	case ahead > 0:
		f.Level = Warn
		f.Detail = fmt.Sprintf("%d of %d records are more than a minute ahead of Kafka's timestamp; at 5 minutes they become dead letters (future)", ahead, len(lags))
		f.Remedy = "look at the producers' clocks and at the time zone that they write"
	case hour != 0 && (median-hour).Abs() < 2*time.Minute && len(lags) >= enough && lags[len(lags)/10].Round(time.Hour) == hour:
		f.Level = Warn
		f.Detail = fmt.Sprintf("nearly all events are about %v behind: a local time written as UTC looks like this", hour)
		f.Remedy = "let producers write UTC, or epoch milliseconds"
	case median > time.Hour:
		f.Level = Note
		f.Remedy = "guardrails act only on events of the last minutes: late ones count in results"
	}
	return f
}

// checkStamps looks for producers that give a retry another time: two events.
func checkStamps(t Topic) (Finding, bool) {
	type identity struct {
		kind, unit, id string
		typ            ingest.Type
	}
	seen := map[identity]int64{}
	again := 0
	for _, s := range t.Samples {
		if s.ID == "" {
			continue
		}
		id := identity{s.UnitKind, s.Unit, s.ID, s.Type}
		if at, ok := seen[id]; ok && at != s.T {
			again++
			continue
		}
		seen[id] = s.T
	}
	if again == 0 {
		return Finding{}, false
	}
	return Finding{Warn, Stamps, t.Name, fmt.Sprintf("%d of %d records have the id of another one and another time: each counts", again, len(t.Samples)),
		"a producer stamps the time anew when it retries; let it send the first attempt's time"}, true
}
