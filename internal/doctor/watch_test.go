package doctor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/doctor"
)

func TestCheckWatch(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	got := doctor.CheckWatch([]doctor.Watched{
		{Experiment: "fine", Looked: now.Add(-time.Minute), Stall: time.Minute, Silence: 10 * time.Minute,
			Stops: []doctor.Stop{{What: "exposures that stop", Within: 18 * time.Second}}},
		{Experiment: "blind", Looked: now, Anomalies: []doctor.Anomaly{{Blind: true, Detail: "no new unit"}, {Detail: "dead letters"}}},
		{Experiment: "unwatched", Looked: now.Add(-time.Hour)},
		{Experiment: "never"},
	}, now)
	want := []struct {
		level   doctor.Level
		subject string
		detail  string
	}{
		{doctor.OK, "fine", "behind within 1m0s, nothing at all within 10m0s, exposures that stop within 18s"},
		{doctor.Fault, "blind", "no new unit"},
		{doctor.Warn, "blind", "dead letters"},
		{doctor.OK, "blind", "too few have come in"},
		{doctor.Warn, "unwatched", "no guard has looked at it for 1h0m0s"},
		{doctor.Warn, "never", "no guard has ever looked"},
	}
	if len(got) != len(want) {
		t.Fatalf("findings %+v", got)
	}
	for i, w := range want {
		if f := got[i]; f.Level != w.level || f.Subject != w.subject || f.Check != doctor.Watch || !strings.Contains(f.Detail, w.detail) {
			t.Errorf("finding %d: %+v, want %+v", i, f, w)
		}
	}
}
