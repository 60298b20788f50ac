package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Shard is what the consumer of a shard last said.
type Shard struct {
	Shard     uint16
	State     string
	Detail    string
	Freshness time.Time
	At        time.Time
}

// A status is written each second; one older than this is of a consumer that is gone.
const silent = 30 * time.Second

// CheckShards looks at what the consumers say, as of now. Partitions is how many
// shards there must be.
func CheckShards(shards []Shard, partitions int32, now time.Time) []Finding {
	var out []Finding
	seen := map[uint16]bool{}
	for _, s := range shards {
		seen[s.Shard] = true
		name := fmt.Sprintf("shard %d", s.Shard)
		switch {
		case now.Sub(s.At) > silent:
			out = append(out, Finding{Fault, Shards, name, fmt.Sprintf("no consumer has spoken for it for %v", now.Sub(s.At).Round(time.Second)),
				"start `assay ingest`; results are blind until then"})
		case s.State != "ok":
			out = append(out, Finding{Fault, Shards, name, s.State + ": " + s.Detail, "docs/operations.md says what each state needs"})
		case now.Sub(s.Freshness) > time.Minute:
			out = append(out, Finding{Warn, Shards, name, fmt.Sprintf("it is %v behind", now.Sub(s.Freshness).Round(time.Second)),
				"wait if it catches up; else start more consumers, up to one a partition"})
		}
	}
	var unread []string
	for p := range partitions {
		if !seen[uint16(p)] {
			unread = append(unread, strconv.Itoa(int(p)))
		}
	}
	if len(unread) > 0 {
		out = append(out, Finding{Fault, Shards, "shards " + strings.Join(unread, ", "), "no consumer has ever read them", "start `assay ingest`"})
	}
	if len(out) == 0 {
		out = append(out, Finding{OK, Shards, "all", fmt.Sprintf("%d shards are read and fresh", len(shards)), ""})
	}
	return out
}

// Stranger is an experiment that exposures name and no file declares.
type Stranger struct {
	Key       string
	Exposures uint64
	Last      time.Time
}

// CheckExperiments names the experiments without a file.
func CheckExperiments(strangers []Stranger) []Finding {
	if len(strangers) == 0 {
		return []Finding{{OK, Unknown, "all", "every experiment that is exposed has a file", ""}}
	}
	var out []Finding
	for _, s := range strangers {
		out = append(out, Finding{Warn, Unknown, s.Key,
			fmt.Sprintf("%d exposures are stored, the last of %s, and no file declares it", s.Exposures, s.Last.UTC().Format(time.RFC3339)),
			"write its file and `assay apply` it: what is stored then counts"})
	}
	return out
}

// Tried is a dry run of a switch for one experiment, or for one of its arms.
type Tried struct {
	Switch     string
	Experiment string
	Arm        string
	On         bool
	Err        error
	Remedy     string
}

// CheckSwitches tells which kills would fail, and what to do about it. Nothing
// was switched.
func CheckSwitches(tried []Tried) []Finding {
	var out []Finding
	for _, t := range tried {
		subject := t.Switch + " for " + t.Experiment
		if t.Arm != "" {
			subject += ", arm " + t.Arm
		}
		f := Finding{OK, Switches, subject, "read back: on", ""}
		switch {
		case t.Err != nil:
			f.Level, f.Detail, f.Remedy = Fault, t.Err.Error(), t.Remedy
		case !t.On:
			f.Detail = "read back: off"
		}
		out = append(out, f)
	}
	return out
}

// Ramped is how the traffic of a ramp was read. Nothing was set.
type Ramped struct {
	Switch     string
	Experiment string
	Traffic    float64 // of the step in force
	Cannot     string  // why the switch cannot carry it out; "" when it can
	Has        bool    // the flag system has that traffic
	Reads      string  // which one it has
	Err        error
}

// CheckRamps tells which ramps cannot be carried out, and whose flag system has another
// traffic than the step.
func CheckRamps(all []Ramped) []Finding {
	var out []Finding
	for _, r := range all {
		f := Finding{OK, Ramps, r.Switch + " for " + r.Experiment, fmt.Sprintf("read back: %.4g %%, the step's traffic", 100*r.Traffic), ""}
		switch {
		case r.Cannot != "":
			f.Level, f.Detail, f.Remedy = Fault, "its ramp is held: "+r.Cannot, "docs/ramps.md says who can ramp; assay ramp revert does not work here either"
		case r.Err != nil:
			f.Level, f.Detail, f.Remedy = Fault, "its ramp is held, the traffic cannot be read: "+r.Err.Error(), "correct the flag, or what the token may read"
		case !r.Has:
			f.Level, f.Detail, f.Remedy = Fault, fmt.Sprintf("its ramp is held: the flag system has %s, the step %.4g %%", r.Reads, 100*r.Traffic), "set the step's traffic in the flag system"
		}
		out = append(out, f)
	}
	return out
}

// Asked is how a signal's question was answered now.
type Asked struct {
	Experiment string
	Signal     string
	Unit       string
	Value      float64
	Gap        string // why there is no number; "" when there is one
	Detail     string
	Passes     bool // the gap is right while nothing comes
	Pauses     bool // a ramp waits for it
}

// CheckSignals tells which signals have no number, and what waits for them.
func CheckSignals(all []Asked) []Finding {
	var out []Finding
	for _, a := range all {
		f := Finding{OK, Signals, a.Experiment + ": " + a.Signal, strings.TrimSpace(fmt.Sprintf("it is %.6g %s", a.Value, a.Unit)), ""}
		if a.Gap != "" {
			f.Level, f.Detail, f.Remedy = Fault, strings.TrimSuffix(a.Gap+": "+a.Detail, ": "), "docs/signals.md has each gap with its remedy"
			if a.Passes {
				f.Level = Warn
			}
			if a.Pauses {
				f.Detail += "; its ramp waits"
			}
		}
		out = append(out, f)
	}
	return out
}

// CheckLedger names the shards whose chain is broken.
func CheckLedger(faults map[uint16]string) []Finding {
	var out []Finding
	for shard, detail := range faults {
		out = append(out, Finding{Fault, Ledger, fmt.Sprintf("shard %d", shard), detail,
			"somebody deleted or restored parts under a live writer: stop the consumers and restore the ledger, see docs/operations.md"})
	}
	if len(out) == 0 {
		out = append(out, Finding{OK, Ledger, "all", "every part is there once", ""})
	}
	return out
}
