package kafka

import (
	"maps"
	"testing"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// Events of units that the plan leaves out are counted as shed from the part on that
// adopts it, and neither stored nor joined; what was counted before stays, also over a
// restart and when rows are healed.
func TestShedIsAdopted(t *testing.T) {
	bubble(t, func(h *harness) {
		log := traffic(0, 40)
		h.produce(log)
		h.untilEnd()
		shedding := h.store.versions[0]
		shedding.Sheds = []experiment.Shed{{From: h.start.Add(-365 * 24 * time.Hour), Keep: 0.3, Outcomes: h.start.Add(-365 * 24 * time.Hour)}}
		h.store.apply(shedding)
		before := maps.Clone(h.store.events)
		late := traffic(100, 200)
		h.produce(late)
		h.untilEnd()
		h.untilEnd()
		shed := uint64(0)
		for _, parts := range h.store.parts {
			for _, part := range parts {
				for _, c := range part.Offsets {
					shed += c.Shed
				}
			}
		}
		stored := len(h.store.events) - len(before)
		if shed == 0 || stored == 0 || int(shed)+stored != len(late) {
			t.Errorf("%d of %d records are shed, %d stored", shed, len(late), stored)
		}
		s := ingest.ShedderOf(&h.store.versions[1])
		for place, e := range h.store.events {
			if _, counted := before[place]; !counted && s.Sheds(&e) {
				t.Errorf("stored: %+v", e)
			}
		}
		all := len(h.store.events)
		clear(h.store.events)
		h.untilEnd()
		if len(h.store.events) != all {
			t.Errorf("healed %d events of %d", len(h.store.events), all)
		}
	})
}
