package watch

import "time"

// One of several guards leads: the first by name of those that say that they run. It
// looks as often as it can. The others look once in Every, which keeps their sums as they
// are, store no looks on which nothing rests, and read everything more seldom. That is
// all: whoever sees harm first decides, so that two leaders cost some load and none costs
// nobody a decision.

// followersFull is how many times more seldom a guard that follows reads all sums.
const followersFull = 5

// leads tells whether no guard with a name before this one's says that it runs.
func (w *Watch) leads(now time.Time) bool {
	leads := !w.presence.before(w.config.Instance, now)
	value := 0.0
	if leads {
		value = 1
	}
	w.gauges.leads.Set(value)
	return leads
}

// Follows tells whether another guard leads, as far as this one has heard. It may be
// asked by anybody.
func (w *Watch) Follows() bool { return w.presence.before(w.config.Instance, w.now()) }

// before tells whether a guard of a lower name was heard lately.
func (p *presence) before(instance string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for other, last := range p.heard {
		if other < instance && now.Sub(last.at) < silentAfter && last.words > 1 {
			return true
		}
	}
	return false
}
