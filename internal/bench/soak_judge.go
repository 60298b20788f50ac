package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// soakResult is everything that was measured; it is written as JSON.
type soakResult struct {
	Began  time.Time `json:"began"`
	For    float64   `json:"for"`  // seconds that the stream lasts
	Rate   int       `json:"rate"` // events a second that were asked for
	Shards int       `json:"shards"`
	Cores  int       `json:"cores"`
	Memory string    `json:"memory_of_a_consumer"`
	Disk   string    `json:"disk"`
	Note   string    `json:"note,omitempty"`
	Commit string    `json:"commit,omitempty"`

	Sent        float64   `json:"sent"`    // seconds until the last record was sent
	Drained     float64   `json:"drained"` // … and until it was counted
	Records     int64     `json:"records"` // of the stream
	Expected    soakFates `json:"expected"`
	Counted     soakFates `json:"counted"`
	Wrong       []string  `json:"wrong,omitempty"` // sums that are not those of what was sent
	Differences int       `json:"differences"`     // that verify finds
	VerifyTook  float64   `json:"verify_took"`
	Restarts    int       `json:"clickhouse_restarts"`

	Bounds   soakBoundsText  `json:"bounds"`
	Criteria []soakCriterion `json:"criteria"`
	Faults   []soakHappened  `json:"faults"`
	Kills    []soakKill      `json:"kills"`
	Samples  []soakSample    `json:"samples"`
}

// soakFates are what became of records.
type soakFates struct {
	Accepted    int64 `json:"accepted"`
	Duplicate   int64 `json:"duplicate"`
	Dead        int64 `json:"dead"`
	Other       int64 `json:"other"`
	Unexplained int64 `json:"unexplained"`
}

// soakBounds are what a run must keep.
type soakBounds struct {
	p50, p99, recover time.Duration
	parts             uint64
	rate              float64 // of what was asked for
}

// soakBoundsText is them for the result, in seconds.
type soakBoundsText struct {
	P50     float64 `json:"kill_p50"`
	P99     float64 `json:"kill_p99"`
	Recover float64 `json:"lag_gone"`
	Parts   uint64  `json:"parts"`
}

func (b soakBounds) seconds() soakBoundsText {
	return soakBoundsText{b.p50.Seconds(), b.p99.Seconds(), b.recover.Seconds(), b.parts}
}

// soakCriterion is one judgement.
type soakCriterion struct {
	Name  string `json:"name"`
	Bound string `json:"bound"`
	Got   string `json:"got"`
	Holds bool   `json:"holds"`
}

func (r *soakResult) failures() (n int) {
	for _, c := range r.Criteria {
		if !c.Holds {
			n++
		}
	}
	return n
}

const (
	// aroundFault is how long after a fault's end, or after its lag is gone, a kill may
	// still feel it: a group whose member has come or gone shares its shards anew.
	aroundFault = 5.0

	flatShare, flatMiB     = 0.10, 64.0  // an assay process may grow by, from the third to the last fifth
	engineShare, engineMiB = 0.25, 512.0 // ClickHouse, which has caches and merges ever larger parts
	garbageOfState         = 2.0         // a consumer also by so much of what its units grew: the collector's allowance
)

// judge holds a result against its bounds.
func judge(r *soakResult, b soakBounds) []soakCriterion {
	all := []soakCriterion{
		{"what was recounted from the stored events", "difference 0", fmt.Sprintf("difference %d", r.Differences), r.Differences == 0},
		{"sums against what was sent", "equal", equalOr(r.Wrong), len(r.Wrong) == 0},
		{"records, each once", fmt.Sprintf("%d counted, %d of them second copies, %d no events", r.Expected.Accepted+r.Expected.Duplicate+r.Expected.Dead, r.Expected.Duplicate, r.Expected.Dead),
			fmt.Sprintf("%d, %d, %d; %d unexplained", r.Counted.Accepted+r.Counted.Duplicate+r.Counted.Dead, r.Counted.Duplicate, r.Counted.Dead, r.Counted.Unexplained),
			r.Counted == r.Expected},
	}
	rate := float64(r.Records) / max(r.Sent, 1)
	all = append(all, soakCriterion{"events a second", fmt.Sprintf("at least %.0f", b.rate*float64(r.Rate)), fmt.Sprintf("%.0f", rate), rate >= b.rate*float64(r.Rate)})
	name, most := r.mostParts()
	all = append(all, soakCriterion{"parts, of a shard of the ledger or of a month of events", fmt.Sprintf("below %d", b.parts), fmt.Sprintf("at most %d (%s)", most, name), most < b.parts})
	all = append(all, r.judgeLag(b), r.judgeKills(b), r.judgeCalls())
	return append(all, r.judgeMemory()...)
}

func equalOr(wrong []string) string {
	if len(wrong) == 0 {
		return "equal"
	}
	return fmt.Sprintf("%d differ: %s", len(wrong), strings.Join(wrong[:min(3, len(wrong))], "; "))
}

func (r *soakResult) mostParts() (name string, most uint64) {
	for _, s := range r.Samples {
		for n, parts := range s.Parts {
			if parts > most {
				name, most = n, parts
			}
		}
	}
	return name, most
}

func (r *soakResult) judgeLag(b soakBounds) soakCriterion {
	worst := soakHappened{}
	for _, f := range r.Faults {
		if f.Recovered-f.End >= worst.Recovered-worst.End {
			worst = f
		}
	}
	return soakCriterion{"lag below 5 s again, after each fault", fmt.Sprintf("within %.0f s", b.recover.Seconds()),
		fmt.Sprintf("%d faults, at most %.0f s (%s)", len(r.Faults), worst.Recovered-worst.End, worst.Name),
		len(r.Faults) > 0 && worst.Recovered-worst.End <= b.recover.Seconds()}
}

// calm are the delays of kills that no fault touches, and disturbed those of others.
func (r *soakResult) delays() (calm, disturbed []time.Duration, early int) {
	for _, k := range r.Kills {
		switch {
		case k.Never:
		case k.Early:
			early++
		case r.touched(k):
			disturbed = append(disturbed, time.Duration((k.Called-k.Shown)*float64(time.Second)))
		default:
			calm = append(calm, time.Duration((k.Called-k.Shown)*float64(time.Second)))
		}
	}
	return calm, disturbed, early
}

func (r *soakResult) touched(k soakKill) bool {
	return slices.ContainsFunc(r.Faults, func(f soakHappened) bool {
		return k.Called >= f.Begin && k.Shown <= max(f.End, f.Recovered)+aroundFault
	})
}

func (r *soakResult) judgeKills(b soakBounds) soakCriterion {
	calm, disturbed, _ := r.delays()
	return soakCriterion{"from the event that shows harm to the off call, away from faults",
		fmt.Sprintf("p50 at most %.0f s, p99 at most %.0f s", b.p50.Seconds(), b.p99.Seconds()),
		fmt.Sprintf("p50 %.2f s, p99 %.2f s of %d (during faults p50 %.1f s, at most %.1f s of %d)", at(calm, 0.5).Seconds(), at(calm, 0.99).Seconds(), len(calm),
			at(disturbed, 0.5).Seconds(), at(disturbed, 1).Seconds(), len(disturbed)),
		len(calm) > 0 && quantile(calm, 0.5) <= b.p50 && quantile(calm, 0.99) <= b.p99}
}

func (r *soakResult) judgeCalls() soakCriterion {
	never := 0
	for _, k := range r.Kills {
		if k.Never {
			never++
		}
	}
	_, _, early := r.delays()
	return soakCriterion{"harmed experiments that were called off", "all", fmt.Sprintf("%d of %d (%d of them before the harm was beyond doubt)", len(r.Kills)-never, len(r.Kills), early), never == 0 && len(r.Kills) > 0}
}

// judgeMemory holds the last fifth of the run against the third.
func (r *soakResult) judgeMemory() (all []soakCriterion) {
	names := map[string]bool{}
	for _, s := range r.Samples {
		for name := range s.RSS {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		rss := func(s soakSample) float64 { return s.RSS[name] }
		before, after := r.middling(0.4, 0.6, rss), r.middling(0.8, 1, rss)
		if before == 0 || after == 0 || name == "kafka" { // its heap has a bound of its own
			continue
		}
		share, more := flatShare, flatMiB
		if name == "clickhouse" {
			share, more = engineShare, engineMiB
		}
		bound, why := before*(1+share)+more, ""
		if state := func(s soakSample) float64 { return s.State[name] }; strings.HasPrefix(name, "ingest") {
			grown := max(0, r.middling(0.8, 1, state)-r.middling(0.4, 0.6, state))
			bound, why = bound+garbageOfState*grown, fmt.Sprintf("; its units grew by %.0f MiB", grown)
		}
		all = append(all, soakCriterion{"memory of " + name + ", last fifth of the run against the third", fmt.Sprintf("at most %.0f MiB", bound),
			fmt.Sprintf("%.0f MiB, %.0f before%s", after, before, why), after <= bound})
	}
	return all
}

// middling is the median over a stretch of the run of what is there.
func (r *soakResult) middling(from, to float64, of func(soakSample) float64) float64 {
	var values []float64
	for _, s := range r.Samples {
		if v := of(s); v > 0 && s.At >= from*r.Sent && s.At <= to*r.Sent {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0
	}
	slices.SortFunc(values, cmp.Compare)
	return values[len(values)/2]
}
