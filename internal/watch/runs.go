package watch

import (
	"maps"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// run is one iteration under watch.
type run struct {
	experiment *experiment.Experiment
	iteration  *experiment.Iteration
}

func (r run) key() runKey { return runKey{r.experiment.Key, r.iteration.Number} }

// How long an iteration is looked at after its end: until its last slot has
// matured, and after a kill until it is clear that the exposures stopped.
const (
	afterEnd  = 5 * time.Minute
	afterKill = time.Hour
)

// runsAt are the iterations to look at: those that run, and those that ended
// so lately that there is still something to learn.
func runsAt(v *experiment.Version, now time.Time) []run {
	var runs []run
	for i := range v.Experiments {
		e := &v.Experiments[i]
		for j := range e.Iterations {
			it := &e.Iterations[j]
			if !now.Before(it.Start) && now.Before(it.End.Add(lookAfter(e, it))) {
				runs = append(runs, run{e, it})
			}
		}
	}
	return runs
}

func lookAfter(e *experiment.Experiment, it *experiment.Iteration) time.Duration {
	slot := experiment.SlotOf(e.Window)
	for i := range it.Metrics {
		slot = max(slot, experiment.SlotOf(e.WindowOf(&it.Metrics[i])))
	}
	after := slot + afterEnd
	if it.Killed != nil {
		after = max(after, afterKill)
	}
	return after
}

// forget drops what is remembered of iterations that are no longer looked at.
func (w *Watch) forget(runs []run) {
	alive := make(map[runKey]bool, len(runs))
	for _, r := range runs {
		alive[r.key()] = true
	}
	for key := range w.memory {
		if !alive[key.runKey] {
			delete(w.memory, key)
			delete(w.verdicts, key)
			delete(w.spoke, key)
		}
	}
	for key := range w.stored {
		if !alive[key] {
			delete(w.stored, key)
			w.gauges.forget(key.experiment)
		}
	}
	maps.DeleteFunc(w.rested, func(key runKey, _ rested) bool { return !alive[key] })
	maps.DeleteFunc(w.traffics, func(key runKey, _ *trafficReading) bool { return !alive[key] })
	maps.DeleteFunc(w.vigils, func(key runKey, _ *guardrails.Vigil) bool { return !alive[key] })
	for key := range w.blindSince {
		if !alive[key] {
			delete(w.blindSince, key)
		}
	}
	w.alerts.begin(w.now(), func(a Alert) bool { return a.Experiment == "" || alive[runKey{a.Experiment, a.Iteration}] })
	w.resolveOver(alive)
}

// queryOf asks for what the run needs. The statuses were read before.
func queryOf(r run, statuses []results.ShardStatus, full bool) Query {
	return Query{
		Experiment: r.experiment.Key, Iteration: r.iteration.Number,
		Matured: results.Maturity(r.experiment, r.iteration, statuses), Dimensions: full,
	}
}
