package signals

import (
	"fmt"
	"strconv"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// State is how a breaker stands. The zero value knows nothing.
type State string

// The states.
const (
	Unknown  State = "unknown"
	Within   State = "within"
	Breached State = "breached"
)

// Reason says why a breaker stands as it does.
type Reason string

// The reasons. The list is closed.
const (
	Fine      Reason = "within_limits"
	AboveMax  Reason = "above_max"
	BelowMin  Reason = "below_min"
	Unhealthy Reason = "unhealthy"
	TooFew    Reason = "too_few"   // not yet so many readings of one kind in a row
	NoAnswer  Reason = "no_answer" // so many questions in a row without a number
	Stale     Reason = "stale"     // nobody asks any more
)

// Reasons are all of them.
func Reasons() []Reason {
	return []Reason{Fine, AboveMax, BelowMin, Unhealthy, TooFew, NoAnswer, Stale}
}

// Fact is what is known of one signal's breaker: what a ramp may be held by, and people
// be told of.
type Fact struct {
	Signal   string            `json:"signal"`
	State    State             `json:"state"`
	Reason   Reason            `json:"reason"`
	OnBreach experiment.OnTrip `json:"on_breach"`
	Since    time.Time         `json:"since,omitzero"` // first reading of those that decided it
	At       time.Time         `json:"at,omitzero"`    // newest reading
	Text     string            `json:"text"`
}

// Holds tells whether a ramp has to wait: a breaker that says so, tripped or not known to
// be closed.
func (f Fact) Holds() bool { return f.OnBreach == experiment.PauseOnTrip && f.State != Within }

// Judge says how a signal's breaker stands by its readings, oldest first. What decides is
// the newest stretch of as many readings in a row as the file wants that are all beyond
// a limit, all within, or all gaps: a single one never trips or closes it, and a restart
// changes nothing. Readings are due each so often; when none came for longer than such a
// stretch takes, nothing is known. ok is false for a signal without limits.
func Judge(s *experiment.Signal, readings []Reading, now time.Time, every time.Duration) (f Fact, ok bool) {
	if !s.Guarded() {
		return Fact{}, false
	}
	f = Fact{Signal: s.Name, State: Unknown, Reason: TooFew, OnBreach: s.OnBreach}
	hold := int(s.Hold)
	if n := len(readings); n > 0 {
		f.At = readings[n-1].At
		if patience := time.Duration(hold+1) * every; now.Sub(f.At) > patience {
			f.Reason, f.Since = Stale, f.At
			f.Text = fmt.Sprintf("nothing was read for %s", now.Sub(f.At).Round(time.Second))
			return f, true
		}
	}
	begin, end := lastStretch(s, readings, hold)
	if end == 0 {
		f.Text = fmt.Sprintf("fewer than %s in a row agree", readingsOf(hold))
		return f, true
	}
	f.Since = readings[begin].At
	f.decide(s, readings[begin:end])
	return f, true
}

// lastStretch is the newest one [begin, end) of at least hold readings of one kind; 0, 0
// without.
func lastStretch(s *experiment.Signal, readings []Reading, hold int) (begin, end int) {
	end = len(readings)
	for end > 0 {
		begin = end - 1
		for begin > 0 && kindOf(s, readings[begin-1]) == kindOf(s, readings[end-1]) {
			begin--
		}
		if end-begin >= hold {
			return begin, end
		}
		end = begin
	}
	return 0, 0
}

func kindOf(s *experiment.Signal, r Reading) State {
	switch {
	case !r.Answered():
		return Unknown
	case beyond(s, r.Value) != Fine:
		return Breached
	}
	return Within
}

// beyond is which limit a value breaks; Fine for none. A limit itself is within.
func beyond(s *experiment.Signal, value float64) Reason {
	switch {
	case s.Health != "" && value < 1:
		return Unhealthy
	case s.Max != nil && value > *s.Max:
		return AboveMax
	case s.Min != nil && value < *s.Min:
		return BelowMin
	}
	return Fine
}

// decide puts the stretch into words.
func (f *Fact) decide(s *experiment.Signal, stretch []Reading) {
	last := stretch[len(stretch)-1]
	f.State = kindOf(s, last)
	switch f.State {
	case Unknown:
		f.Reason = NoAnswer
		f.Text = fmt.Sprintf("no number in %s (%s)", readingsOf(len(stretch)), last.Gap)
	case Within:
		f.Reason = Fine
		f.Text = fmt.Sprintf("within its limits in %s, last %s", readingsOf(len(stretch)), measure(last.Value, s.Unit))
		if s.Health != "" {
			f.Text = fmt.Sprintf("healthy in %s", readingsOf(len(stretch)))
		}
	default:
		f.Reason = beyond(s, last.Value)
		f.Text = fmt.Sprintf("%s in %s", limitText(s, f.Reason, last.Value), readingsOf(len(stretch)))
	}
}

func limitText(s *experiment.Signal, r Reason, value float64) string {
	switch r {
	case AboveMax:
		return fmt.Sprintf("%s, above its limit of %s,", measure(value, s.Unit), measure(*s.Max, s.Unit))
	case BelowMin:
		return fmt.Sprintf("%s, below its limit of %s,", measure(value, s.Unit), measure(*s.Min, s.Unit))
	}
	return "no health check passed"
}

func readingsOf(n int) string {
	if n == 1 {
		return "1 reading"
	}
	return strconv.Itoa(n) + " readings"
}

// measure writes a number with its unit.
func measure(v float64, unit string) string {
	text := strconv.FormatFloat(v, 'g', 4, 64)
	if unit == "" {
		return text
	}
	return text + " " + unit
}
