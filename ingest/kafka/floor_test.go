package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
)

// Records from before the floor are dead letters from the part on that adopts it;
// what was counted before stays, also over a restart.
//
// semantics: too_old
func TestFloorIsAdopted(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		risen := h.store.versions[0]
		risen.Floor = h.start.Add(time.Millisecond) // above all that was written
		h.store.apply(risen)
		late := traffic(0, 10)
		h.produce(late)
		h.untilEnd()
		h.untilEnd()
		h.wantSums(log)
		tooOld := 0
		for _, d := range h.store.dead {
			if d.Reason == ingest.TooOld {
				tooOld++
			}
		}
		if tooOld != len(late) || len(h.store.dead) != tooOld {
			t.Errorf("%d of %d dead letters are too old, want %d", tooOld, len(h.store.dead), len(late))
		}
		// Healing reads what was counted before by the floor of that time.
		clear(h.store.events)
		clear(h.store.dead)
		h.untilEnd()
		if len(h.store.events) != len(log) || len(h.store.dead) != tooOld {
			t.Errorf("healed %d events and %d dead letters, want %d and %d", len(h.store.events), len(h.store.dead), len(log), tooOld)
		}
		h.send(&kgo.Record{Topic: outcomes, Key: []byte("u-1"),
			Value: []byte(`{"type":"outcome","ts":"` + risen.Floor.UTC().Format(time.RFC3339Nano) + `","unit":"u-1","event":"purchase","value":1}`)})
		h.untilEnd()
		if len(h.store.dead) != tooOld {
			t.Errorf("an event at the floor is dead")
		}
		h.wantSums(log) // it is stored; its iteration is closed
	})
}
