package daily

import "time"

// Entry is one line of the log of what was sent. Each is appended as the next number or
// not at all, so that two senders cannot both claim a day.
type Entry struct {
	Seq     uint64
	At      time.Time
	Day     Date
	Channel string
	State   State
	Actor   string // who sends
	Detail  string // what went wrong, or why nothing was sent
}

// State is how far a report is on a channel.
type State string

// The states.
const (
	Claimed State = "claimed" // somebody is sending it
	Sent    State = "sent"    // it was delivered
	Failed  State = "failed"  // it was not; another attempt follows
	Skipped State = "skipped" // there was nothing to report
)

// Lease is how long a claim keeps others away. Who claimed sends or fails long before:
// when neither is in the log by then, the sender died.
const Lease = 10 * time.Minute

// Log is what was sent, folded. The zero value is an empty log.
type Log struct {
	Last  uint64 // Seq of the newest entry
	days  map[matter]progress
	first map[string]Date // the earliest day that was ever claimed, by channel
}

type matter struct {
	day     Date
	channel string
}

type progress struct {
	state    State
	at       time.Time
	failures int
}

// Add folds in the next entry. Entries that are in already are ignored.
func (l *Log) Add(e Entry) {
	if e.Seq <= l.Last {
		return
	}
	l.Last = e.Seq
	if l.days == nil {
		l.days, l.first = map[matter]progress{}, map[string]Date{}
	}
	key := matter{e.Day, e.Channel}
	p := l.days[key]
	p.at = e.At
	if !p.done() {
		p.state = e.State
	}
	if e.State == Failed {
		p.failures++
	}
	l.days[key] = p
	if first, ok := l.first[e.Channel]; !ok || e.Day.Before(first) {
		l.first[e.Channel] = e.Day
	}
}

// Pending are the days that are to be sent over a channel now, oldest first: those that
// are due, not older than the schedule catches up, and neither sent, nor in somebody's
// hands, nor waiting for another attempt. A channel over which nothing was ever sent
// begins with the newest day.
func (l *Log) Pending(s Schedule, channel string, now time.Time) []Date {
	last := s.Last(now)
	d := last.Add(1 - max(s.CatchUp, 1))
	switch first, ok := l.first[channel]; {
	case !ok:
		d = last
	case d.Before(first):
		d = first
	}
	var days []Date
	for ; !last.Before(d); d = d.Add(1) {
		if l.days[matter{d, channel}].open(now) {
			days = append(days, d)
		}
	}
	return days
}

// done tells whether nothing is left to be sent.
func (p progress) done() bool { return p.state == Sent || p.state == Skipped }

// open tells whether an attempt may begin.
func (p progress) open(now time.Time) bool {
	switch p.state {
	case Sent, Skipped:
		return false
	case Claimed:
		return now.Sub(p.at) >= Lease
	case Failed:
		return now.Sub(p.at) >= pause(p.failures)
	}
	return true
}

const (
	firstPause   = time.Minute
	longestPause = time.Hour
)

// pause is how long to wait after the n-th failure: doubling, up to an hour.
func pause(n int) time.Duration {
	if n > 6 { // 1 min · 2⁶ is past the longest
		return longestPause
	}
	return min(firstPause<<max(n-1, 0), longestPause)
}
