package planning

import (
	"errors"
	"math"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/stats"
	"github.com/assay-dev/assay/stats/design"
)

// Question is what is asked of every comparison.
type Question struct {
	Lift  float64 // effect to be found, as a share of the control's mean, above 0
	Power float64 // in (0, 1)
	Looks int     // of a group-sequential design; 0: none
}

// Comparison is what is known of one metric in one arm against the control.
type Comparison struct {
	Metric string
	Arm    string
	Kind   string
	Binary bool    // a unit's y is 0 or 1
	Mean   float64 // of the control
	SD     float64 // of one unit; ignored when Binary
	Share  float64 // of the treatment in the pair, 0..1
	Alpha  float64 // two-sided
	Plan   float64 // N*, units of both arms; 0: the engine's default
	Units  int64   // so far, both arms
	PerDay float64 // new units of both arms a day; 0: not known
	Window float64 // days in which a unit's outcomes come
	Basis  string  // where mean and deviation are from
}

// Answer is what the comparison can find. Numbers that do not exist are null in JSON.
type Answer struct {
	Metric string         `json:"metric"`
	Arm    string         `json:"arm"`
	Kind   string         `json:"kind"`
	Basis  string         `json:"basis"`
	Mean   results.Number `json:"mean"`
	SD     results.Number `json:"sd"`
	Share  float64        `json:"treatment_share"`
	Alpha  float64        `json:"alpha"`
	Power  float64        `json:"power"`
	Lift   float64        `json:"lift"`
	Plan   int64          `json:"planned_units"`
	Units  int64          `json:"units"`
	PerDay results.Number `json:"units_per_day"`   // 0: not known
	Looks  int            `json:"looks,omitempty"` // of the group-sequential design

	Fixed      Method  `json:"fixed"`
	Sequential Method  `json:"sequential"`
	Group      *Method `json:"group_sequential,omitempty"`
}

// Method is one way of looking.
type Method struct {
	// Units of both arms that find the lift with the power, and how many it takes
	// on average when the test stops once it has found it.
	Size     results.Number `json:"size"`
	Expected results.Number `json:"expected_units"`
	// Detectable is the lift that the planned units find with the power, and
	// PlanPower the power for the asked lift there.
	Detectable results.Number `json:"detectable_lift"`
	PlanPower  results.Number `json:"power_at_plan"`
	// NowPower is the power at the units so far, More the units that are missing.
	NowPower results.Number `json:"power_now"`
	More     results.Number `json:"more_units"`
	// Days from the first unit to Size at the rate of PerDay, and to Expected, the
	// last unit's window included.
	Days         results.Number `json:"days"`
	ExpectedDays results.Number `json:"expected_days"`
}

// Plan answers for one comparison. A comparison without basis (no mean, no
// deviation, a share or an alpha outside (0, 1)) gets numbers that do not exist.
func Plan(c Comparison, q Question) Answer { return PlanAll([]Comparison{c}, q)[0] }

// PlanAll answers for many. What looking always detects at the planned units depends on
// alpha and power alone and takes most of the time: it is found once.
func PlanAll(all []Comparison, q Question) []Answer {
	out, _ := PlanWhile(all, q, func() error { return nil })
	return out
}

// ErrLate says that a question was not answered in time.
var ErrLate = errors.New("it was not planned in time")

// PlanWhile answers for many as long as there is no reason to stop: it is asked for
// before each, which takes up to seconds.
func PlanWhile(all []Comparison, q Question, stop func() error) ([]Answer, error) {
	known := map[[3]float64]float64{}
	out := make([]Answer, len(all))
	for i, c := range all {
		if err := stop(); err != nil {
			return nil, err
		}
		out[i] = plan(c, q, known)
	}
	return out, nil
}

// plan keeps the signals that looking always detects by alpha, units and power.
func plan(c Comparison, q Question, known map[[3]float64]float64) Answer {
	if !(c.Plan > 0) {
		c.Plan = stats.DefaultPlannedUnits
	}
	if c.Binary {
		c.SD = math.Sqrt(c.Mean * (1 - c.Mean))
	}
	a := Answer{
		Metric: c.Metric, Arm: c.Arm, Kind: c.Kind, Basis: c.Basis, Mean: results.Number(c.Mean), SD: results.Number(c.SD),
		Share: c.Share, Alpha: c.Alpha, Power: q.Power, Lift: q.Lift, Plan: int64(c.Plan), Units: c.Units, PerDay: results.Number(c.PerDay), Looks: q.Looks,
	}
	p := planner{Comparison: c, q: q, known: known, test: design.Test{Alpha: c.Alpha, Sides: design.TwoSided}}
	p.size = p.fixedSize(q.Lift)
	// distance is what the fixed test asks of z; dividing by √size makes sizes of
	// whatever formula into the expected z of one unit.
	p.distance = math.Sqrt(p.test.Means(1, 1, 0, q.Power, 1).Treatment)
	p.signal = p.distance / math.Sqrt(p.size)
	a.Fixed, a.Sequential = p.fixed(), p.sequential()
	if q.Looks > 0 {
		a.Group = p.group()
	}
	return a
}

// planner holds what the three methods share.
type planner struct {
	Comparison
	q              Question
	test           design.Test
	size, distance float64
	signal         float64 // expected z of one unit at the asked lift
	known          map[[3]float64]float64
}

// fixedSize is the size of both arms for one look. A proportion's variance depends
// on its arm's value; everything else keeps the control's.
func (p *planner) fixedSize(lift float64) float64 {
	if !(p.Share > 0 && p.Share < 1) || !(lift > 0) {
		return math.NaN()
	}
	ratio := (1 - p.Share) / p.Share
	if p.Binary {
		return p.test.Proportions(p.Mean*(1+lift), p.Mean, p.q.Power, ratio).Total()
	}
	if p.Mean == 0 || !(p.SD > 0) {
		return math.NaN()
	}
	return p.test.Means(lift*p.Mean, p.SD, p.SD, p.q.Power, ratio).Total()
}

// detectable is the lift whose fixed size is this one: sizes fall as lifts grow.
func (p *planner) detectable(size float64) results.Number {
	high := 1.0
	if p.Binary {
		high = (1 - p.Mean) / p.Mean
	}
	for !p.Binary && p.fixedSize(high) > size && high < 1e12 {
		high *= 2
	}
	if at := p.fixedSize(high); !(at <= size) { // NaN too
		return results.Number(math.NaN())
	}
	low := 0.0
	for range 100 {
		if middle := (low + high) / 2; p.fixedSize(middle) > size {
			low = middle
		} else {
			high = middle
		}
	}
	return results.Number(high)
}

// complete adds what follows from a size and an expected size.
func (p *planner) complete(m Method, size, expected float64) Method {
	m.Size, m.Expected = results.Number(size), results.Number(expected)
	m.More = results.Number(math.Max(0, size-float64(p.Units)))
	if math.IsNaN(size) {
		m.More = m.Size
	}
	m.Days, m.ExpectedDays = results.Number(math.NaN()), results.Number(math.NaN())
	if p.PerDay > 0 {
		m.Days = results.Number(size/p.PerDay + p.Window)
		m.ExpectedDays = results.Number(expected/p.PerDay + p.Window)
	}
	return m
}

func (p *planner) fixed() Method {
	// A standardised effect with n units in each arm has the expected z d·√(n/2).
	power := func(units float64) results.Number {
		return results.Number(p.test.Power(p.signal, 2*units, 2*units))
	}
	m := Method{Detectable: p.detectable(p.Plan), PlanPower: power(p.Plan), NowPower: power(float64(p.Units))}
	return p.complete(m, p.size, p.size)
}

func (p *planner) sequential() Method {
	rho2 := stats.MixtureRho2(p.Alpha, p.Plan)
	monitor := design.Monitor{Sides: design.TwoSided, Boundary: func(units float64) float64 {
		return stats.MixtureRadius(rho2*units, p.Alpha)
	}}
	size, expected := monitor.Size(p.signal, p.q.Power)
	key := [3]float64{p.Alpha, p.Plan, p.q.Power}
	signal, ok := p.known[key]
	if !ok {
		signal = monitor.Detectable(p.Plan, p.q.Power)
		p.known[key] = signal
	}
	found := p.distance / signal
	m := Method{
		Detectable: p.detectable(found * found),
		PlanPower:  results.Number(monitor.Power(p.signal, p.Plan)),
		NowPower:   results.Number(monitor.Power(p.signal, float64(p.Units))),
	}
	return p.complete(m, size, expected)
}

// group is the O'Brien-Fleming type design with equal steps of information, whose
// last look is at the size; nil when there is none.
func (p *planner) group() *Method {
	d, err := design.New(design.OBrienFleming(), p.Alpha, design.TwoSided, design.Equal(p.q.Looks))
	if err != nil {
		return nil
	}
	inflation, drift := d.Inflation(p.q.Power), d.Drift(p.q.Power)
	size := p.size * inflation
	m := Method{
		Detectable: p.detectable(p.Plan / inflation),
		PlanPower:  results.Number(d.At(p.signal * math.Sqrt(p.Plan)).Power),
		NowPower:   results.Number(math.NaN()), // its looks are at fixed numbers of units
	}
	m = p.complete(m, size, size*d.At(drift).Expected)
	return &m
}
