package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Watched is how the guard sees one running experiment.
type Watched struct {
	Experiment string
	Looked     time.Time // when it last looked at everything; zero: never
	Stall      time.Duration
	Silence    time.Duration
	Stops      []Stop
	Anomalies  []Anomaly
}

// Stop is within how long it would be seen that something comes no more.
type Stop struct {
	What   string
	Within time.Duration
}

// Anomaly is what the guard sees that is not as it was.
type Anomaly struct {
	Blind  bool
	Detail string
}

// A full look is taken once a minute.
const unwatched = 3 * time.Minute

// CheckWatch says of each running experiment how soon the guard would see that something
// stops, and what it sees now.
func CheckWatch(all []Watched, now time.Time) []Finding {
	var out []Finding
	for _, w := range all {
		if now.Sub(w.Looked) > unwatched {
			detail := "no guard has ever looked at it"
			if !w.Looked.IsZero() {
				detail = fmt.Sprintf("no guard has looked at it for %v", now.Sub(w.Looked).Round(time.Second))
			}
			out = append(out, Finding{Warn, Watch, w.Experiment, detail, "start `assay guard`: nothing would stop it"})
			continue
		}
		for _, a := range w.Anomalies {
			f := Finding{Warn, Watch, w.Experiment, a.Detail, "docs/guardrails.md says what each anomaly means"}
			if a.Blind {
				f.Level = Fault
			}
			out = append(out, f)
		}
		out = append(out, Finding{OK, Watch, w.Experiment, w.seen(), ""})
	}
	return out
}

func (w Watched) seen() string {
	parts := []string{fmt.Sprintf("counts that are behind within %s, nothing at all within %s", w.Stall, w.Silence)}
	for _, s := range w.Stops {
		parts = append(parts, fmt.Sprintf("%s within %s", s.What, s.Within))
	}
	if len(w.Stops) == 0 {
		parts = append(parts, "no stop of single events yet: too few have come in since the guard began")
	}
	return "seen: " + strings.Join(parts, ", ")
}
