package guardrails

import (
	"cmp"
	"fmt"

	"github.com/assay-dev/assay/internal/results"
)

// missing follows the share of a dimension's new units that have no value.
type missing struct {
	none, units       int64 // at the beginning of the stretch
	refNone, refUnits int64 // in the last complete one
	seen              bool
}

// A dimension is lost where its share of (none) among missingUnits new units is
// missingRise above that among as many before: by chance below one in 10^8 (Hoeffding,
// both shares).
const (
	missingUnits = 500
	missingRise  = 0.2
)

// readDimensions follows (none) of each dimension, in looks that have dimensions: once a
// minute. The metrics have the same units, so the first one's will do.
func (v *Vigil) readDimensions(d *results.Document) {
	type count struct{ none, units int64 }
	counts, metric := map[string]*count{}, ""
	for i := range d.Cells {
		c := &d.Cells[i]
		if c.Dimension == "" || cmp.Or(metric, c.Metric) != c.Metric {
			continue
		}
		metric = c.Metric
		n := counts[c.Dimension]
		if n == nil {
			n = &count{}
			counts[c.Dimension] = n
		}
		n.units += c.Open.N
		if c.Value == "(none)" {
			n.none += c.Open.N
		}
	}
	for dimension, n := range counts {
		m := v.missing[dimension]
		if m == nil {
			m = &missing{}
			v.missing[dimension] = m
		}
		if was, is, lost := m.see(n.none, n.units); lost {
			v.warn(results.Anomaly{Code: results.AttributeMissing, Dimension: dimension, Text: fmt.Sprintf(
				"%.0f %% of the new units have no %s, before it were %.0f %%: has its name changed?", 100*is, dimension, 100*was)})
		}
	}
}

func (m *missing) see(none, units int64) (was, is float64, lost bool) {
	if !m.seen || units < m.units || none < m.none {
		*m = missing{none: none, units: units, seen: true}
		return 0, 0, false
	}
	if units-m.units < missingUnits {
		return 0, 0, false
	}
	is = float64(none-m.none) / float64(units-m.units)
	if m.refUnits > 0 {
		was = float64(m.refNone) / float64(m.refUnits)
		lost = is-was >= missingRise
	}
	m.refNone, m.refUnits = none-m.none, units-m.units
	m.none, m.units = none, units
	return was, is, lost
}

// topicFlow follows the share of a topic's records that are dead letters.
type topicFlow struct {
	dead, records       uint64 // of the stretch so far
	refDead, refRecords uint64 // of the last complete one
}

// Dead letters surge where, of deadRecords records and more, they are a part that is
// deadFactor times the one before and deadRise above it. Records that a mapping leaves
// out count among the dead, before as now.
const (
	deadRecords = 200
	deadFactor  = 5
	deadRise    = 0.01
)

// readFates follows the dead letters of each topic.
func (v *Vigil) readFates(fates []results.Fates) {
	if v.topics == nil {
		v.topics = map[string]*topicFlow{}
	}
	for _, f := range fates {
		t := v.topics[f.Topic]
		if t == nil {
			t = &topicFlow{}
			v.topics[f.Topic] = t
		}
		if was, is, surge := t.see(f.Dead, f.Records); surge {
			v.warn(results.Anomaly{Code: results.DeadLetters, Topic: f.Topic, Text: fmt.Sprintf(
				"%.2g %% of the last %d records of %s are no events, before it were %.2g %%: assay doctor says why",
				100*is, t.refRecords, f.Topic, 100*was)})
		}
	}
}

func (t *topicFlow) see(dead, records uint64) (was, is float64, surge bool) {
	t.dead, t.records = t.dead+dead, t.records+records
	if t.records < deadRecords {
		return 0, 0, false
	}
	is = float64(t.dead) / float64(t.records)
	if t.refRecords > 0 {
		was = float64(t.refDead) / float64(t.refRecords)
		surge = is >= deadFactor*was && is-was >= deadRise
	}
	t.refDead, t.refRecords, t.dead, t.records = t.dead, t.records, 0, 0
	return was, is, surge
}
