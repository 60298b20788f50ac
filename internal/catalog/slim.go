package catalog

import (
	"encoding/json"
	"fmt"

	"github.com/assay-dev/assay/internal/results"
)

// DecodeSlim reads what a row needs of a document: of 1,000 experiments it is kept in
// memory. The rest is passed over, which is most of the work: after a start a thousand
// documents are read for one list.
func DecodeSlim(body []byte) (*results.Document, error) {
	var d slimDocument
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, fmt.Errorf("decode a document: %w", err)
	}
	out := d.Document
	out.Comparisons = make([]results.Comparison, len(d.Comparisons))
	for i := range d.Comparisons {
		out.Comparisons[i] = d.Comparisons[i].Comparison
	}
	out.Phases = make([]results.Phase, len(d.Phases))
	for i := range d.Phases {
		out.Phases[i] = d.Phases[i].Phase
	}
	return &out, nil
}

// slimDocument is a document in which a field that stands here hides that of the same
// name below.
type slimDocument struct {
	results.Document
	Comparisons []slimComparison `json:"comparisons"`
	Phases      []slimPhase      `json:"phases"`

	Cells      passedOver `json:"cells"`
	Plan       passedOver `json:"plan"`
	Days       passedOver `json:"days"`
	Beliefs    passedOver `json:"beliefs"`
	Seen       passedOver `json:"seen"`
	Crossovers passedOver `json:"crossovers"`
	Budget     passedOver `json:"budget"`
}

type slimComparison struct {
	results.Comparison
	Segments passedOver `json:"segments"`
}

type slimPhase struct {
	results.Phase
	SRMBy passedOver `json:"srm_by"`
}

// passedOver takes nothing of what it is given.
type passedOver struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*passedOver) UnmarshalJSON([]byte) error { return nil }
