package sources

import (
	"cmp"
	"slices"

	"github.com/assay-dev/assay/ingest"
)

// Proposal is what a mapping would make of a topic's samples.
type Proposal struct {
	Mapping string // its name; empty for a draft
	Draft   string // the text of a mapping to be finished by hand

	Samples    int                   // records
	Recognised int                   // of them, that look like this source's
	Filtered   int                   // recognised, but no events by the mapping
	Dead       map[ingest.Reason]int // recognised, but broken
	Detail     string                // of the first of those
	Several    int                   // records that hold several events: they need the partitioner any
	Exposures  int                   // events
	Outcomes   int
}

// Share is the part of the samples that the mapping can read: that look right and
// are not broken.
func (p *Proposal) Share() float64 {
	if p.Samples == 0 {
		return 0
	}
	dead := 0
	for _, n := range p.Dead {
		dead += n
	}
	return float64(max(0, p.Recognised-dead)) / float64(p.Samples)
}

// enoughShare is the part of the samples that a mapping must read so that no
// draft is made beside it.
const enoughShare = 0.5

// Detect says which of the mappings that are part of the binary fit the samples
// of a topic, the best first. When none reads half of them, the last proposal is
// a draft.
func Detect(samples []ingest.Record) []Proposal {
	var out []Proposal
	for _, name := range Names() {
		m, err := Load(name)
		if err != nil || len(m.Detect) == 0 {
			continue
		}
		if p := m.try(samples); p.Recognised > 0 {
			p.Mapping = name
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b Proposal) int {
		return cmp.Or(
			cmp.Compare(b.Share(), a.Share()),
			cmp.Compare(min(1, b.Exposures), min(1, a.Exposures)),
			cmp.Compare(b.Exposures+b.Outcomes, a.Exposures+a.Outcomes),
		)
	})
	if len(out) > 0 && out[0].Share() >= enoughShare {
		return out
	}
	if text := draft(samples); text != "" {
		p := Proposal{Samples: len(samples)}
		if m, err := LoadMapping([]byte(text)); err == nil {
			p = m.try(samples)
		}
		p.Draft = text
		out = append(out, p)
	}
	return out
}

// try counts what a mapping makes of samples.
func (m *Mapping) try(samples []ingest.Record) Proposal {
	p := Proposal{Samples: len(samples), Dead: map[ingest.Reason]int{}}
	d, err := NewDecoder(m, ingest.Key{}, nil)
	if err != nil {
		return p
	}
	for _, rec := range samples {
		if !d.recognises(&rec) {
			continue
		}
		p.Recognised++
		events, why := d.Native(rec)
		if len(events) > 1 {
			p.Several++
		}
		for i := range events {
			made := rec
			made.Value = events[i].JSON
			if e, _, _ := d.native.Decode(made); e.Type == ingest.Exposure {
				p.Exposures++
			} else {
				p.Outcomes++
			}
		}
		switch {
		case why == nil:
		case why.Reason == ingest.Filtered:
			p.Filtered++
		default:
			if p.Dead[why.Reason]++; p.Detail == "" {
				p.Detail = why.Detail
			}
		}
	}
	return p
}

// recognises tells whether a record looks like one of the mapping's source. A
// mapping that doesn't say what that is takes every JSON for its own.
func (d *Decoder) recognises(rec *ingest.Record) bool {
	if len(rec.Value) > ingest.MaxSize {
		return false
	}
	root, _, bad := d.tree.unwrap(rec.Value, rec.Headers)
	if bad != nil {
		return false
	}
	s := source{tree: &d.tree, at: root.at, around: root.around}
	for i := range d.mapping.Detect {
		if holds, bad := d.mapping.Detect[i].hold(&s); holds && bad == nil {
			return true
		}
	}
	return len(d.mapping.Detect) == 0
}
