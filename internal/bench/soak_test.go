package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// Whatever the length, every fault happens within the run, none before the one before
// it has ended, and the trials end before the stream does.
func TestSoakIsProportional(t *testing.T) {
	for _, length := range []time.Duration{3 * time.Minute, 5 * time.Minute, 30 * time.Minute, 3 * time.Hour} {
		faults := soakFaults(length)
		if len(faults) < 12 {
			t.Fatalf("only %d faults", len(faults))
		}
		for i, f := range faults {
			end := length
			if i+1 < len(faults) {
				end = faults[i+1].at
			}
			if f.at <= 0 || f.hold <= 0 || f.at+f.hold >= end {
				t.Errorf("in %v, %s lasts from %v for %v; the next begins at %v", length, f.name, f.at, f.hold, end)
			}
		}
		var s soakTrialSet
		s.plan(length)
		last := s.all[len(s.all)-1]
		if n := len(s.all); n < 30 || n > soakTrials || last.begins+killHealthy >= length {
			t.Errorf("in %v, %d trials, the last begins at %v", length, n, last.begins)
		}
	}
}

// soakOf is a run in which everything is as it must be.
func soakOf() soakResult {
	r := soakResult{For: 100, Rate: 1000, Records: 99_000, Sent: 100, Drained: 103, Expected: soakFates{Accepted: 98_800, Duplicate: 150, Dead: 50}}
	r.Counted = r.Expected
	for i := range 100 {
		r.Samples = append(r.Samples, soakSample{At: float64(i), Events: 990, RSS: map[string]float64{"ingest-1": 500 + float64(i), "clickhouse": 1500, "kafka": 4 * float64(i)},
			State: map[string]float64{"ingest-1": 300 + float64(i)}, Parts: map[string]uint64{"ledger 0": 4, "events 202603": 30}, Lag: map[string]float64{"exposures 0": 0.5}})
	}
	r.Faults = []soakHappened{{Name: "a fault", Begin: 20, End: 25, Recovered: 31, MostLag: 9}}
	for i := range 20 {
		r.Kills = append(r.Kills, soakKill{Key: trialKey(i), Shown: 50 + float64(i), Called: 51 + float64(i)})
	}
	r.Kills = append(r.Kills, soakKill{Key: "slow", Shown: 22, Called: 42}, soakKill{Key: "felt it", Shown: 35, Called: 44}, soakKill{Key: "early", Early: true, Called: 60})
	return r
}

// Each criterion fails for what it is about, and for nothing else.
func TestSoakIsJudged(t *testing.T) {
	b := soakBounds{p50: 2 * time.Second, p99: 5 * time.Second, recover: time.Minute, parts: 300, rate: 0.95}
	for _, c := range []struct {
		fails string
		how   func(*soakResult)
	}{
		{"", func(*soakResult) {}},
		{"what was recounted", func(r *soakResult) { r.Differences = 1 }},
		{"sums against", func(r *soakResult) { r.Wrong = []string{"revenue"} }},
		{"records, each once", func(r *soakResult) { r.Counted.Accepted--; r.Counted.Duplicate++ }},
		{"records, each once", func(r *soakResult) { r.Counted.Unexplained = 1 }},
		{"events a second", func(r *soakResult) { r.Sent = 110 }},
		{"parts", func(r *soakResult) { r.Samples[40].Parts["ledger 3"] = 300 }},
		{"lag below", func(r *soakResult) {
			r.Faults[0].Begin, r.Faults[0].End, r.Faults[0].Recovered, r.Kills = -100, -95, -34, r.Kills[:20]
		}},
		{"from the event that shows harm", func(r *soakResult) { r.Kills[3].Called, r.Kills[4].Called = r.Kills[3].Called+6, r.Kills[4].Called+6 }},
		{"from the event that shows harm", func(r *soakResult) {
			for i := range 12 {
				r.Kills[i].Called += 1.5
			}
		}},
		{"harmed experiments", func(r *soakResult) { r.Kills[20].Never = true }},
		{"memory of ingest-1", func(r *soakResult) {
			for i := 80; i < 100; i++ {
				r.Samples[i].RSS["ingest-1"] += 200
			}
		}},
		{"memory of clickhouse", func(r *soakResult) {
			for i := 80; i < 100; i++ {
				r.Samples[i].RSS["clickhouse"] += 1000
			}
		}},
	} {
		r := soakOf()
		c.how(&r)
		for _, found := range judge(&r, b) {
			if should := c.fails == "" || !strings.HasPrefix(found.Name, c.fails); found.Holds != should {
				t.Errorf("%q: %s holds: %v (%s, %s)", c.fails, found.Name, found.Holds, found.Bound, found.Got)
			}
		}
	}
	r := soakOf()
	if calm, disturbed, early := r.delays(); len(calm) != 20 || len(disturbed) != 2 || early != 1 {
		t.Errorf("%d kills away from faults, %d during them, %d early", len(calm), len(disturbed), early)
	}
}

// A lag is how long ago a partition ended where the ledger is; what cannot be asked
// stands as it was.
func TestSoakLag(t *testing.T) {
	var p sampler
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := lane{1, 2}
	for i := range 10 {
		p.ends = append(p.ends, soakEnds{at.Add(time.Duration(i) * time.Second), map[lane]int64{in: int64(100 * i)}})
	}
	now := at.Add(10 * time.Second)
	for _, c := range []struct {
		next int64
		lag  float64
	}{{0, 10}, {350, 7}, {400, 6}, {899, 2}, {900, 0}, {950, 0}} {
		p.counted(map[lane]int64{in: c.next}, c.next, 1)
		if got := p.lags(now)["outcomes 2"]; got != c.lag {
			t.Errorf("counted up to %d: %v behind, want %v", c.next, got, c.lag)
		}
	}
	p.counted(nil, 0, 2)
	if p.next[in] != 950 {
		t.Errorf("without an answer the ledger is at %d", p.next[in])
	}
}

// The page names every criterion and fault, and the plot is an SVG.
func TestSoakPage(t *testing.T) {
	r := soakOf()
	r.Criteria = judge(&r, soakBounds{p50: 2 * time.Second, p99: 5 * time.Second, recover: time.Minute, parts: 300, rate: 0.95})
	page := soakPage(&r)
	for _, c := range r.Criteria {
		if !strings.Contains(page, c.Name) || !strings.Contains(page, c.Got) {
			t.Errorf("the page lacks %s", c.Name)
		}
	}
	plot := soakPlot(&r)
	for d := xml.NewDecoder(strings.NewReader(plot)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(plot, "<circle"); n != 22 {
		t.Errorf("%d kills are drawn, want 22", n)
	}
}

// What the stream expects is what its own records come to, read by the program's decoder.
func TestSoakExpects(t *testing.T) {
	s := newSoakStream(1000, 4, nil)
	d := ingest.NewDecoder(ingest.Key{1}, attributes)
	value := append(s.begin("outcome", 7, time.UnixMilli(1772366412345)), `,"event":"purchase","value":12.05,"attrs":{}}`...)
	e, why, ok := d.Decode(ingest.Record{KafkaT: 1772366412345, Value: value})
	if !ok || e.Name != "purchase" || e.Unit != (ingest.Key{1}).Unit("user", "soak-user-7") {
		t.Errorf("%s is read as %+v, %v", value, e, why)
	}
	if _, _, ok := d.Decode(ingest.Record{KafkaT: 1772366412345, Value: value[:len(value)/2]}); ok {
		t.Error("half of a record is an event")
	}
	arms := [2]int{}
	for i := range 10_000 {
		arms[soakVariant(i, 0)]++
	}
	if arms[0] < 4800 || arms[0] > 5200 {
		t.Errorf("%v units of 10,000 in the arms", arms)
	}
}
