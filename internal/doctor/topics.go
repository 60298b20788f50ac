package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Topic is a declared source topic as the cluster describes it.
type Topic struct {
	Name        string
	Exists      bool
	Partitions  int32
	Partitioner string            // declared: murmur2, crc32, fnv1a, any
	Settings    map[string]string // of the cluster: retention.ms, cleanup.policy …
	Samples     []Sample
}

// A topic that keeps less than this leaves no time to mend a consumer at a weekend.
const shortRetention = 72 * time.Hour

// CheckTopics looks at what the cluster says of the topics.
func CheckTopics(topics []Topic) []Finding {
	var out []Finding
	counts := map[int32]bool{}
	var said []string
	for _, t := range topics {
		if !t.Exists {
			out = append(out, Finding{Fault, Topics, t.Name, "the topic does not exist",
				"create it with as many partitions as the others, or correct kafka.topics"})
			continue
		}
		if t.Partitioner != "any" { // those are read through a topic of assay's own
			counts[t.Partitions] = true
			said = append(said, fmt.Sprintf("%s has %d", t.Name, t.Partitions))
		}
		out = append(out, t.settings()...)
	}
	if len(counts) > 1 {
		out = append(out, Finding{Fault, Topics, "all", "the topics have unequal numbers of partitions: " + strings.Join(said, ", "),
			"make new topics with equal numbers and let the producers write to them, or declare the odd one with partitioner: any"})
	}
	if len(out) == 0 {
		out = append(out, Finding{OK, Topics, "all", strings.Join(said, ", ") + " partitions", ""})
	}
	return out
}

func (t *Topic) settings() []Finding {
	var out []Finding
	warn := func(detail, remedy string) {
		out = append(out, Finding{Warn, Topics, t.Name, detail, remedy})
	}
	if strings.Contains(t.Settings["cleanup.policy"], "compact") {
		warn("cleanup.policy is compact: of the records with one key only the last is kept, and a key is a unit here",
			"set cleanup.policy=delete")
	}
	ms, err := strconv.ParseInt(t.Settings["retention.ms"], 10, 64)
	if keep := time.Duration(ms) * time.Millisecond; err == nil && ms >= 0 && keep < shortRetention {
		warn(fmt.Sprintf("retention.ms keeps records for %v only: what a consumer that stands still has not read by then is lost", keep),
			"set retention.ms to three days or more")
	}
	if t.Settings["message.timestamp.type"] == "LogAppendTime" {
		out = append(out, Finding{Note, Topics, t.Name,
			"message.timestamp.type is LogAppendTime: a future event is judged by the broker's clock, not the producer's", ""})
	}
	return out
}
