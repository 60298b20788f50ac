package ingest_test

import (
	"testing"

	"github.com/assay-dev/assay/ingest"
)

// TestBytes holds the state to what the documentation promises: 128 bytes for a
// unit in an experiment with three metrics, and 48 for an event, whichever tables
// happen to have just grown.
func TestBytes(t *testing.T) {
	measure := func(units, events int) float64 {
		j := ingest.NewJoiner([]string{"exposures", "outcomes"}, benchVersion())
		s := newStream(units, nil)
		for at := 0; at < len(s.order); at += len(s.batch) {
			batch := s.fill(at)
			kept := batch[:0:0]
			for i, e := range batch {
				if (at+i)%4 < events {
					kept = append(kept, e)
				}
			}
			j.AddAll(kept, nil)
		}
		j.Take()
		if j.Units() != units {
			t.Fatalf("%d units of %d", j.Units(), units)
		}
		return float64(j.Bytes()) / float64(units)
	}
	for _, units := range []int{100_000, 110_000, 120_000} {
		one, four := measure(units, 1), measure(units, 4)
		event := (four - one) / 3
		unit := one - event
		t.Logf("%d units: %.1f bytes a unit, %.1f an event", units, unit, event)
		if unit > 128 || event > 48 {
			t.Errorf("%d units: %.1f bytes a unit, %.1f an event", units, unit, event)
		}
	}
}
