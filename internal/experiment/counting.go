package experiment

import (
	"bytes"
	"encoding/json"
	"time"
)

// counted is what decides what is counted in an iteration. Shares and traffic are
// not in it: they are what the flag system was told, and a phase's border is
// enough to keep its units apart. Nor is the control: it is counted like any arm.
type counted struct {
	Number                 uint32
	Start, EnrolUntil, End time.Time
	UnitKind               string
	Variants               []string
	Grace                  Duration
	Crossovers             Crossovers
	Exclude                []Condition
	Dimensions             []Dimension
	Consent                Consent    `json:",omitzero"`
	Attributes             Attributes `json:",omitempty"`
	Phases                 []countedPhase
	Metrics                []Metric
}

type countedPhase struct {
	From   time.Time
	Settle Duration
}

// Counting tells whether the difference between two versions changes what is
// counted of an experiment, so that adopting b after a needs a part of its own.
// Either version may be nil or lack the experiment.
func Counting(a, b *Version, key string) bool {
	return !bytes.Equal(countingText(a, key), countingText(b, key))
}

func countingText(v *Version, key string) []byte {
	if v == nil {
		return nil
	}
	e := v.Find(key)
	if e == nil {
		return nil
	}
	list := make([]counted, len(e.Iterations))
	for i := range e.Iterations {
		list[i] = countedOf(e, &e.Iterations[i])
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic("counting: " + err.Error()) // only times and words; see Encode
	}
	return text
}

func countedOf(e *Experiment, it *Iteration) counted {
	e = e.AsOf(it)
	c := counted{
		Number: it.Number, Start: it.Start, EnrolUntil: it.EnrolUntil, End: it.End,
		UnitKind: e.UnitKind, Grace: e.Grace, Crossovers: e.Crossovers, Exclude: e.Exclude,
		Dimensions: e.Dimensions, Consent: e.Consent, Attributes: e.Attributes,
	}
	for _, v := range e.Variants {
		c.Variants = append(c.Variants, v.Key)
	}
	for _, p := range it.Phases {
		c.Phases = append(c.Phases, countedPhase{p.From, p.Settle})
	}
	for i := range it.Metrics {
		m := it.Metrics[i]
		if !m.Kind.Fast() {
			continue
		}
		m.Window = e.WindowOf(&m)
		m.Owner, m.Describe, m.Direction, m.Unit, m.Covariate = "", "", "", "", ""
		if m.Cap != nil {
			m.Cap = &Cap{At: m.Cap.At} // where the number comes from does not matter
		}
		if m.Kind == Sum {
			m.Kind = Mean // the same moments
		}
		c.Metrics = append(c.Metrics, m)
	}
	return c
}
