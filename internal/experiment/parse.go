package experiment

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// Set is everything that the files say, read and checked, each fact with its
// place. Apply turns it into the next version.
type Set struct {
	Warnings    Problems // doubts; they stop nothing
	experiments []*experimentFile
	metrics     []*metricFile
}

// experimentFile is an experiment file that was read. Its Experiment is complete
// except for the iterations, which depend on the version before.
type experimentFile struct {
	*source
	Experiment
	text experimentText
}

// Parse reads experiment and metric files, in any order, and checks each of them
// and their references. With any problem there is no set.
func Parse(files []File) (*Set, Problems) {
	set := &Set{}
	var problems Problems
	for _, f := range files {
		s := newSource(f)
		set.read(s, f.Data)
		problems = append(problems, s.problems...)
		s.problems = nil
	}
	set.sort()
	problems = append(problems, set.refuseDoubles()...)
	for _, e := range set.experiments {
		set.check(e)
		problems = append(problems, e.problems...)
		e.problems = nil
		set.Warnings = append(set.Warnings, e.warnings...)
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return set, nil
}

// read reads one file of either kind.
func (set *Set) read(s *source, data []byte) {
	root, ok := document(s, data)
	if !ok {
		return
	}
	switch kindOf(s, root) {
	case "experiment":
		set.experiments = append(set.experiments, readExperiment(s, root))
	case "metric":
		set.metrics = append(set.metrics, readMetric(s, root))
	}
}

// kindOf tells experiments from metrics by what every such file has, and by the
// folder when it has neither.
func kindOf(s *source, root ast.Node) string {
	look := *s // a field that stands twice is refused once, by the reader of the kind
	pairs, ok := mapping(&look, "", root)
	if !ok {
		s.problems = look.problems
		return ""
	}
	has := func(key string) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.key == key }) }
	folder := path.Base(path.Dir(s.name))
	switch {
	case has("key") != has("name"):
		if has("key") {
			return "experiment"
		}
		return "metric"
	case folder == "experiments":
		return "experiment"
	case folder == "metrics":
		return "metric"
	}
	s.refuse("", RuleFileKind, "this may be an experiment or a metric", "an experiment begins with key:, a metric with name:")
	return ""
}

func (set *Set) sort() {
	slices.SortStableFunc(set.experiments, func(a, b *experimentFile) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortStableFunc(set.metrics, func(a, b *metricFile) int { return cmp.Compare(a.Name, b.Name) })
}

// refuseDoubles finds keys and metric names that two files claim.
func (set *Set) refuseDoubles() Problems {
	var out Problems
	double := func(what, key string, first, second *source, field string) {
		if key == "" {
			return
		}
		out = append(out, second.problemAt(second.place(field), RuleDuplicateKey,
			fmt.Sprintf("%s %s is defined twice; first in %s", what, key, first.name), ""))
	}
	for i := 1; i < len(set.experiments); i++ {
		if a, b := set.experiments[i-1], set.experiments[i]; a.Key == b.Key {
			double("experiment", b.Key, a.source, b.source, "key")
		}
	}
	for i := 1; i < len(set.metrics); i++ {
		if a, b := set.metrics[i-1], set.metrics[i]; a.Name == b.Name {
			double("metric", b.Name, a.source, b.source, "name")
		}
	}
	return out
}

// metric finds a metric's file.
func (set *Set) metric(name string) *metricFile {
	i, ok := slices.BinarySearchFunc(set.metrics, name, func(m *metricFile, name string) int { return cmp.Compare(m.Name, name) })
	if !ok {
		return nil
	}
	return set.metrics[i]
}

// Keys returns the keys of the experiments, sorted.
func (set *Set) Keys() []string {
	out := make([]string, len(set.experiments))
	for i, e := range set.experiments {
		out[i] = e.Key
	}
	return out
}

// Metrics returns the metrics as the files define them, sorted by name.
func (set *Set) Metrics() []Metric {
	out := make([]Metric, len(set.metrics))
	for i, m := range set.metrics {
		out[i] = m.Metric
	}
	return out
}
