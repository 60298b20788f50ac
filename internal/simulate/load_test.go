package simulate

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
)

func load(units int) Load {
	return Load{
		Seed: 42, Units: units, Experiments: []string{"e1", "e2", "e3"}, Variants: []string{"control", "treatment"},
		MostBuys: 4, Start: noon, Every: time.Millisecond, Partitions: 4,
	}
}

// TestLoadComesToItsExpectedSums decodes every record and adds up unit by unit.
func TestLoadComesToItsExpectedSums(t *testing.T) {
	each := load(3000)
	each.Each = true
	for name, l := range map[string]Load{"one experiment a unit": load(7000), "each experiment": each} {
		t.Run(name, func(t *testing.T) { loadAddsUp(t, l) })
	}
}

// loaded is what the records of one unit said.
type loaded struct {
	variants      map[string]string // by experiment
	first, last   int64
	cents, events int64
}

func (u *loaded) add(t *testing.T, e *ingest.Event) {
	if e.Type == ingest.Exposure {
		u.variants[e.Experiment], u.first = e.Variant, e.T
		return
	}
	if len(u.variants) == 0 || e.T <= u.first || e.T > u.first+loadWindow.Milliseconds() || e.T <= u.last {
		t.Fatalf("a purchase at %d of a unit exposed at %d", e.T, u.first)
	}
	u.last = e.T
	u.cents += hundredths(t, e.Value)
	u.events++
}

func loadAddsUp(t *testing.T, l Load) {
	units, decoder, records := map[ingest.Unit]*loaded{}, newDecoder(), 0
	seen := map[string]bool{}
	for r := range l.Records {
		e, why, ok := decoder.Decode(ingest.Record{KafkaT: noon.UnixMilli() + 60_000, Value: r.Value})
		if !ok {
			t.Fatalf("%s: %+v", r.Value, why)
		}
		if seen[e.ID] || len(r.Value) < 150 || len(r.Value) > 250 || r.Partition != ingest.Partition(r.Key, 4, ingest.Murmur2) {
			t.Fatalf("record %s in partition %d of key %s", r.Value, r.Partition, r.Key)
		}
		seen[e.ID] = true
		records++
		if units[e.Unit] == nil {
			units[e.Unit] = &loaded{variants: map[string]string{}}
		}
		units[e.Unit].add(t, &e)
	}
	got := map[[2]string]Sums{}
	for _, u := range units {
		for experiment, variant := range u.variants {
			s := got[[2]string{experiment, variant}]
			s.Experiment, s.Variant = experiment, variant
			s.Units++
			s.Buyers += min(u.events, 1)
			s.Cents, s.SquaredCents = s.Cents+u.cents, s.SquaredCents+u.cents*u.cents
			s.Events, s.SquaredCount = s.Events+u.events, s.SquaredCount+u.events*u.events
			got[[2]string{experiment, variant}] = s
		}
	}
	expected := l.Expected()
	if len(expected) != 6 || len(got) != 6 || records != l.Count() {
		t.Fatalf("%d cells expected, %d found; %d records counted, %d made", len(expected), len(got), l.Count(), records)
	}
	for _, want := range expected {
		if diff := cmp.Diff(want, got[[2]string{want.Experiment, want.Variant}]); diff != "" {
			t.Errorf("sums (-want +got):\n%s", diff)
		}
	}
}

// hundredths turns a value scaled by 10¹² into cents, exactly.
func hundredths(t *testing.T, v ingest.Value) int64 {
	t.Helper()
	text := v.String()
	if len(text) < 10 || text[len(text)-10:] != "0000000000" {
		t.Fatalf("%s is not a number of hundredths", text)
	}
	var cents int64
	if _, err := fmt.Sscan(text[:len(text)-10], &cents); err != nil {
		t.Fatal(err)
	}
	return cents
}

func TestLoadStopsWhenAsked(t *testing.T) {
	n := 0
	for range load(5000).Records {
		if n++; n == 1500 {
			break
		}
	}
	if n != 1500 {
		t.Errorf("%d records", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	bytes := 0
	l := load(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for r := range l.Records {
		bytes += len(r.Value)
	}
	b.SetBytes(int64(bytes / b.N))
}
