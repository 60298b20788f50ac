package experiment

import (
	"errors"
	"testing"
	"time"
)

// capped is the base in force with a metric that is capped at a percentile.
func capped(t *testing.T, percentile string) (*Set, *Version) {
	t.Helper()
	base := load(t, "base.yaml")[0]
	spend := File{Name: "spend.yaml", Data: []byte("name: spend\nowner: growth\nevent: buy\nkind: mean\ndirection: increase\ndecimals: 2\ncap: {percentile: " + percentile + "}\n")}
	trial := File{Name: "y.yaml", Data: []byte("key: y\nowner: growth\nvariants: {a: 50%, b: 50%}\ncontrol: a\ngoals: [spend]\niterations: [{start: 2026-03-01T00:00:00Z}]\n")}
	set := mustParse(t, append(load(t, "good/metrics/*.yaml"), base, spend, trial)...)
	v, _, problems := Apply(nil, set, day(t, "2026-02-20"), "somebody")
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return set, v
}

func TestFixCap(t *testing.T) {
	set, v := capped(t, "99")
	if m := v.Find("y").Latest().Metric("spend"); !m.CapOpen() {
		t.Fatalf("the cap is %+v before anybody fixed it", m.Cap)
	}
	now := day(t, "2026-03-02")
	next, err := v.FixCap("spend", "812.5", "99th percentile of February", "somebody", now)
	if err != nil {
		t.Fatal(err)
	}
	if next.Number != 2 || next.Author != "somebody" || !next.AppliedAt.Equal(now) {
		t.Errorf("version %d by %s at %s", next.Number, next.Author, next.AppliedAt)
	}
	if m := next.Find("y").Latest().Metric("spend"); m.CapOpen() || m.Cap.At != "812.5" || m.Cap.Percentile != 99 {
		t.Errorf("the running iteration has %+v", m.Cap)
	}
	if !v.Find("y").Latest().Metric("spend").CapOpen() {
		t.Error("the version before was changed")
	}
	if !Counting(v, next, "y") {
		t.Error("a cap changes what is counted")
	}
	if err := next.Validate(); err != nil {
		t.Error(err)
	}
	// The files still say the percentile only: applying them again keeps the number.
	if again, changes, problems := Apply(next, set, now.Add(time.Hour), "somebody"); again != nil || len(changes) > 0 || problems.Err() != nil {
		t.Errorf("applying again: %v %v", changes, problems)
	}
	// Another percentile is another cap.
	other, _ := capped(t, "95")
	edited, _, problems := Apply(next, other, now.Add(time.Hour), "somebody")
	if problems.Err() != nil || edited == nil {
		t.Fatalf("another percentile: %v", problems)
	}
	for _, m := range edited.Metrics {
		if m.Name == "spend" && !m.CapOpen() {
			t.Errorf("the new percentile has a number already: %+v", m.Cap)
		}
	}
	if m := edited.Find("y").Latest().Metric("spend"); m.Cap.At != "812.5" {
		t.Errorf("the running iteration lost its cap: %+v", m.Cap)
	}
}

func TestFixCapRefuses(t *testing.T) {
	_, v := capped(t, "99")
	now := day(t, "2026-03-02")
	if _, err := v.FixCap("nothing", "1", "", "somebody", now); !errors.Is(err, ErrNoMetric) {
		t.Errorf("an unknown metric: %v", err)
	}
	next, err := v.FixCap("spend", "1", "", "somebody", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := next.FixCap("spend", "2", "", "somebody", now); !errors.Is(err, ErrNoOpenCap) {
		t.Errorf("a cap that is fixed: %v", err)
	}
}
