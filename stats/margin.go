package stats

// Direction says which way of moving a metric is good. The zero value is
// invalid on purpose: a forgotten direction decides nothing.
type Direction int

// The directions.
const (
	IncreaseIsGood Direction = 1 + iota
	DecreaseIsGood
)

// Margin is the harm that is tolerated, at least zero.
type Margin struct {
	Value    float64 // in the metric's unit, or a fraction of |control mean|
	Relative bool
}

// Decision is the outcome of a one-sided test about the harm h, the effect in
// the bad direction. It is in the units of the margin: absolute, or relative
// to |control mean|.
type Decision struct {
	Reject    bool    // the hypothesis is refuted
	Z         float64 // standardised distance from the margin, positive towards rejection
	A         float64 // the mixture's information ρ²·Σw/(p(1−p))
	P         float64 // always-valid; Reject is P < alpha
	Threshold float64 // what Z must exceed
	Estimate  float64 // ĥ
	// Bound is the always-valid one-sided bound of h: the lower one from
	// TestHarm, the upper one from TestNonInferior.
	Bound    float64
	Warnings []Warning
}

// TestHarm tests H0: h ≤ margin. Rejecting it means that harm beyond the margin is shown.
func (p Pair) TestHarm(m Margin, d Direction, plan Plan) Decision { panic("todo") }

// TestNonInferior tests H0: h ≥ margin. Rejecting it means that the treatment is not worse by the margin.
func (p Pair) TestNonInferior(m Margin, d Direction, plan Plan) Decision { panic("todo") }
