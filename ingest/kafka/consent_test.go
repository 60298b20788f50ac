package kafka

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// Exposures without consent are stored without their unit from the part on that adopts
// the policy; what was read before counts as lacking consent, too. Healing stores each
// as it was stored the first time.
//
// semantics: consent consent-stripped
func TestConsentIsAsked(t *testing.T) {
	bubble(t, func(h *harness) {
		send := func(from, n int, consent string) {
			for i := from; i < from+n; i++ {
				unit := fmt.Sprint("u-", i)
				h.send(&kgo.Record{Topic: exposures, Key: []byte(unit), Value: fmt.Appendf(nil,
					`{"type":"exposure","id":"x","ts":%q,"unit":%q,"experiment":"cta","variant":"control","consent":%q}`,
					h.start.Format(time.RFC3339Nano), unit, consent)})
			}
			h.untilEnd()
		}
		send(0, 5, "denied") // nobody asks yet
		asks := h.store.versions[0]
		asks.Experiments = slices.Clone(asks.Experiments)
		asks.Experiments[0].Consent.Require = experiment.RequireGranted
		h.store.apply(asks)
		send(5, 10, "denied")
		send(15, 20, "granted")

		counted := map[string]int64{}
		for _, parts := range h.store.parts {
			for _, p := range parts {
				for _, r := range p.Rows {
					if r.Dimension == "" {
						counted[r.Metric+r.Value] += r.N
					}
				}
			}
		}
		if counted[ingest.Units] != 20 || counted[ingest.Consent+"denied"] != 15 || counted[ingest.Consent+"granted"] != 20 || counted["spend"] != 20 {
			t.Errorf("counted %v", counted)
		}
		nameless := func() (n int) {
			for _, e := range h.store.events {
				if e.Anonymous() {
					n++
				}
				if e.Anonymous() && (e.ID != "" || e.T%60_000 != 0 || len(e.Attrs) != 1) {
					t.Errorf("kept: %+v", e)
				}
			}
			return n
		}
		before := maps.Clone(h.store.events)
		if len(before) != 35 || nameless() != 10 {
			t.Errorf("%d events, %d without a unit", len(before), nameless())
		}
		clear(h.store.events)
		h.untilEnd()
		if len(h.store.events) != 35 || nameless() != 10 {
			t.Errorf("healed %d events, %d without a unit", len(h.store.events), nameless())
		}
		for at, e := range before {
			if h.store.events[at].Unit != e.Unit {
				t.Errorf("healed %+v, was %+v", h.store.events[at], e)
			}
		}
	})
}
