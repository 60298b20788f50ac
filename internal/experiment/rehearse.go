package experiment

import "time"

// Rehearsal is the version that the files would make if nothing had been applied
// before. What the time of the first apply decides (a start that is not written, the
// ends that follow from it, a phase without from) is zero in it: it serves to compare
// files with files, and nothing can be counted by it.
func (set *Set) Rehearsal() *Version {
	v := &Version{Metrics: set.Metrics()}
	for _, f := range set.experiments {
		s := *f.source
		s.problems = nil // Parse has refused what is wrong
		e := &experimentFile{source: &s, Experiment: f.Experiment, text: f.text}
		e.Iterations = set.timeline(e, nil, time.Time{})
		v.Experiments = append(v.Experiments, e.Experiment)
	}
	return v
}
