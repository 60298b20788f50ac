package doctor

import "fmt"

// Proposal is what a mapping would make of a topic's records.
type Proposal struct {
	Mapping             string // its name; empty: a draft
	Share               float64
	Exposures, Outcomes int
	Filtered            int
	Several             bool // records hold several events each
}

// CheckMappings tells which mappings fit a topic that is not read well as it is
// declared: the best one, or that there is only a draft.
func CheckMappings(topic string, proposals []Proposal) []Finding {
	if len(proposals) == 0 {
		return []Finding{{Warn, Mapping, topic, "no mapping fits, and the records are not JSON objects that a draft could be made of",
			"look at a record; docs/sources.md says what a mapping can read"}}
	}
	p := proposals[0]
	if p.Mapping == "" {
		return []Finding{{Warn, Mapping, topic, "no mapping that comes with assay fits", "finish the draft below as a file, and name the file in kafka.topics: mapping"}}
	}
	f := Finding{Note, Mapping, topic,
		fmt.Sprintf("mapping %s reads %s of the sample: %d exposures, %d outcomes, %d left aside", p.Mapping, percent(int(1000*p.Share), 1000), p.Exposures, p.Outcomes, p.Filtered),
		fmt.Sprintf("write mapping: %s at the topic in kafka.topics", p.Mapping)}
	if p.Several {
		f.Remedy += ", and partitioner: any, because one record holds several events"
	}
	return []Finding{f}
}
