package catalog

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// Health is whether the data can be trusted, for all experiments together.
type Health struct {
	At    time.Time `json:"at"`
	State string    `json:"state"` // ok, or warned, or stopped: the gravest of what follows
	Why   []string  `json:"why"`   // what is not ok, in words

	Shards         []Shard        `json:"shards"`
	Reconciliation Reconciliation `json:"reconciliation"`
	DeadLetters    []DeadLetters  `json:"dead_letters"`
	Gaps           []Gap          `json:"gaps"`
	Placebos       []Placebo      `json:"placebos"`
	Unknown        []Unknown      `json:"unknown_experiments"`
}

// The states of Health and of a shard.
const (
	OK      = "ok"
	Doubted = "warned"
	Stopped = "stopped"
)

// Shard is how far one partition of all topics is read.
type Shard struct {
	Shard     uint16    `json:"shard"`
	State     string    `json:"state"` // ok, or why it stands still
	Detail    string    `json:"detail,omitempty"`
	Seq       uint64    `json:"seq"`       // last part of the ledger
	Version   uint32    `json:"version"`   // of the configuration under which it counts
	Freshness time.Time `json:"freshness"` // everything before it is counted
	Lag       float64   `json:"lag"`       // seconds by which the counts are behind
	Heard     time.Time `json:"heard"`     // when its consumer last said so
	Silent    bool      `json:"silent"`    // it says so every second, and has not for longer than half a minute
}

// ShardOf is a shard as its consumer last described it. A word that is old says nothing
// about now: the counts are as far behind as that and its age.
func ShardOf(s results.ShardStatus, now time.Time) Shard {
	out := Shard{
		Shard: s.Shard, State: s.State, Detail: s.Detail, Seq: s.Seq, Version: s.Config,
		Freshness: s.Freshness, Heard: s.At, Silent: now.Sub(s.At) > silentAfter,
	}
	out.Lag = max(0, now.Sub(s.Freshness).Seconds())
	return out
}

// silentAfter is how old a shard's word may be: consumers give one every second.
const silentAfter = 30 * time.Second

// Reconciliation says what became of every offset that was read. Difference is the
// number of those of which nothing is known, and must be 0.
type Reconciliation struct {
	Difference int64       `json:"difference"`
	Records    uint64      `json:"records"`
	Partitions []Partition `json:"partitions"`
}

// Partition is one partition of one topic.
type Partition struct {
	Topic      string `json:"topic"`
	Shard      uint16 `json:"shard"`
	From       int64  `json:"from"`
	Next       int64  `json:"next"` // everything below was counted
	Accepted   uint64 `json:"accepted"`
	Duplicate  uint64 `json:"duplicate"`
	Dead       uint64 `json:"dead"`
	Misplaced  uint64 `json:"misplaced"`
	Difference int64  `json:"difference"`
}

// DeadLetters are the records of a topic that could not be read for one reason.
type DeadLetters struct {
	Topic   string       `json:"topic"`
	Reason  string       `json:"reason"`
	Count   uint64       `json:"count"`
	First   time.Time    `json:"first"` // Kafka's timestamps
	Last    time.Time    `json:"last"`
	Samples []DeadLetter `json:"samples"` // the newest ones
}

// DeadLetter is one of them. What it held is read from Kafka, by who may.
type DeadLetter struct {
	Shard    uint16    `json:"shard"`
	Offset   int64     `json:"offset"`
	At       time.Time `json:"at"`
	Size     uint32    `json:"size"`     // bytes
	Position int32     `json:"position"` // where reading failed; -1: nowhere in particular
	Detail   string    `json:"detail,omitempty"`
}

// Gap is a stretch of records that is in no number.
type Gap struct {
	results.Gap
	Text  string    `json:"text"`
	Since time.Time `json:"since,omitzero"` // none of the records is earlier, as a rule
	Until time.Time `json:"until,omitzero"` // none of them is later
}

// Placebo is what halves of an experiment's control say of the engine.
type Placebo struct {
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	At         time.Time `json:"at"`
	Looks      int       `json:"looks"`
	Splits     int       `json:"splits"`  // halvings of each metric
	Alpha      float64   `json:"alpha"`   // false alarms promised at most
	Judged     int       `json:"judged"`  // halvings with numbers, over all metrics
	Alarms     int       `json:"alarms"`  // of these, with a false alarm at any look
	Outside    int       `json:"outside"` // intervals for one look that exclude no difference
	Suspect    []string  `json:"suspect"` // metrics with more than chance explains
}

// PlaceboOf adds up the metrics of a placebo.
func PlaceboOf(p *results.Placebo) Placebo {
	out := Placebo{Experiment: p.Experiment, Iteration: p.Iteration, At: p.At, Looks: p.Looks, Splits: p.Splits, Alpha: p.Alpha, Suspect: []string{}}
	for _, m := range p.Metrics {
		out.Judged += m.Judged
		out.Alarms += len(m.Ever)
		out.Outside += m.Outside
		if m.Suspect {
			out.Suspect = append(out.Suspect, m.Metric)
		}
	}
	return out
}

// Unknown is an experiment that is exposed and has no file.
type Unknown struct {
	Experiment string    `json:"experiment"`
	Exposures  uint64    `json:"exposures"`
	Last       time.Time `json:"last"`
}

// Judge says how it is about the data, from everything that stands in it.
func (h *Health) Judge() {
	h.State, h.Why = OK, []string{}
	worse := func(state, why string) {
		if h.State != Stopped {
			h.State = state
		}
		h.Why = append(h.Why, why)
	}
	if len(h.Shards) == 0 {
		worse(Stopped, "no consumer has reported yet")
	}
	for _, s := range h.Shards {
		switch {
		case s.State != OK:
			worse(Stopped, fmt.Sprintf("shard %d: %s %s", s.Shard, s.State, s.Detail))
		case s.Silent:
			worse(Stopped, fmt.Sprintf("shard %d: nobody has reported for %s", s.Shard, h.At.Sub(s.Heard).Round(time.Second)))
		}
	}
	if n := h.Reconciliation.Difference; n != 0 {
		worse(Stopped, fmt.Sprintf("%d offsets are unaccounted for", n))
	}
	for _, g := range h.Gaps {
		worse(Doubted, g.Text)
	}
	for _, p := range h.Placebos {
		for _, m := range p.Suspect {
			worse(Doubted, fmt.Sprintf("%s: random halves of the control differ in %s by more than chance explains", p.Experiment, m))
		}
	}
}
