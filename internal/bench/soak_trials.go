package main

import (
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

const (
	soakTrials    = 150              // harmed experiments of a run, at most
	soakStagger   = 4 * time.Second  // between two, at least
	soakLastTrial = 20 * time.Second // before the stream's end, the last one begins
)

// soakTrialSet are harmed experiments that begin one after the other.
type soakTrialSet struct {
	all []*trial
}

// plan spreads trials over a run.
func (s *soakTrialSet) plan(length time.Duration) {
	first, last := min(5*time.Second, length/10), length-min(soakLastTrial, length/3)
	n := min(soakTrials, max(2, 1+int((last-first)/soakStagger)))
	for i := range n {
		begins := first + time.Duration(float64(last-first)*float64(i)/float64(n-1))
		s.all = append(s.all, &trial{key: trialKey(i), begins: begins})
	}
}

func (s *soakTrialSet) files() []experiment.File { return trialFiles(len(s.all)) }

// soakKill is one harmed experiment, in seconds after the beginning.
type soakKill struct {
	Key    string  `json:"experiment"`
	Shown  float64 `json:"shown"`  // the event was sent that shows the harm
	Called float64 `json:"called"` // the off call arrived
	Early  bool    `json:"early"`  // before the harm was shown: shards are read in another order than they are written
	Never  bool    `json:"never"`
}

// kills are the trials as they ended. Nothing feeds them any more.
func (s *soakTrialSet) kills(began time.Time, calls *receiver) (all []soakKill, records int64) {
	for _, t := range s.all {
		called := calls.arrived(t.key)
		k := soakKill{Key: t.key, Called: called.Sub(began).Seconds(), Shown: t.shown.Sub(began).Seconds(), Early: t.shown.IsZero(), Never: called.IsZero()}
		if k.Early {
			k.Shown = k.Called
		}
		if k.Never {
			k.Called = 0
		}
		all = append(all, k)
		for arm := range 2 {
			records += t.oracle.units[arm] + t.oracle.fails[arm]
		}
	}
	return all, records
}
