package ingest_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
)

// The oracle counts a whole log by brute force, the way docs/semantics.md says
// it, with big numbers. It shares nothing with the joiner but the types.

type sums struct {
	n, nonZero, over int64
	// Σy, Σy², and of ratios Σz, Σz², Σyz.
	sum, squares, below, belowSquares, product *big.Int
}

func (s *sums) all() []*big.Int {
	return []*big.Int{s.sum, s.squares, s.below, s.belowSquares, s.product}
}

type ledger map[ingest.Cell]*sums

func (l ledger) at(c ingest.Cell) *sums {
	if l[c] == nil {
		l[c] = &sums{sum: new(big.Int), squares: new(big.Int), below: new(big.Int), belowSquares: new(big.Int), product: new(big.Int)}
	}
	return l[c]
}

// add sums emitted rows up.
func (l ledger) add(rows []ingest.Row) {
	for _, r := range rows {
		s := l.at(r.Cell)
		s.n += r.N
		s.nonZero += r.NonZero
		s.over += r.Over
		for i, v := range []ingest.Int128{r.Sum, r.SumSquares, r.SumDenominator, r.SumSquaresDenominator, r.SumProduct} {
			s.all()[i].Add(s.all()[i], v.Big())
		}
	}
}

// plain leaves out the cells that are zero.
func (l ledger) plain() map[ingest.Cell]string {
	out := map[ingest.Cell]string{}
	for c, s := range l {
		text, zero := fmt.Sprint(s.n, s.nonZero, s.over), s.n == 0 && s.nonZero == 0 && s.over == 0
		for _, v := range s.all() {
			text += " " + v.String()
			zero = zero && v.Sign() == 0
		}
		if !zero {
			out[c] = text
		}
	}
	return out
}

// accepted leaves out misplaced records and duplicates: later offsets of a topic
// with the identity of an earlier one.
func accepted(log []ingest.Event) []ingest.Event {
	var out []ingest.Event
	for _, e := range log {
		again := slices.ContainsFunc(log, func(o ingest.Event) bool {
			return e.ID != "" && o.ID == e.ID && o.Type == e.Type && o.Unit == e.Unit && o.T == e.T &&
				!o.Misplaced && o.Place.Topic == e.Place.Topic && o.Place.Offset < e.Place.Offset
		})
		if !again && !e.Misplaced {
			out = append(out, e)
		}
	}
	return out
}

func brute(log []ingest.Event, v *experiment.Version) ledger {
	l := ledger{}
	byUnit := map[ingest.Unit][]ingest.Event{}
	for _, e := range accepted(log) {
		byUnit[e.Unit] = append(byUnit[e.Unit], e)
	}
	for _, events := range byUnit {
		for i := range v.Experiments {
			x := &v.Experiments[i]
			exposures := slices.DeleteFunc(slices.Clone(events), func(e ingest.Event) bool {
				return e.Type != ingest.Exposure || e.Experiment != x.Key
			})
			sortExposures(exposures)
			asideExposures(l, x, exposures)
			for k := range x.Iterations {
				bruteIteration(l, x, &x.Iterations[k], exposures, events)
			}
		}
	}
	return l
}

func sortExposures(list []ingest.Event) {
	slices.SortFunc(list, func(a, b ingest.Event) int {
		return cmp.Or(cmp.Compare(a.T, b.T), strings.Compare(a.Variant, b.Variant),
			cmp.Compare(a.Place.Topic, b.Place.Topic), cmp.Compare(a.Place.Offset, b.Place.Offset))
	})
}

// refused tells whether an exposure does not count for its unit: it was stored without
// it, or its time's iteration asks for another consent.
func refused(x *experiment.Experiment, e *ingest.Event) bool {
	if e.Unit == (ingest.Unit{}) {
		return true
	}
	it := x.At(ms(e.T))
	if it == nil {
		return false
	}
	said, then := said(e), designed(x, it)
	switch {
	case then.Consent.Require == "granted":
		return said == "unknown" || said == "denied"
	case then.Consent.Require == "not_denied":
		return said == "denied"
	}
	return false
}

func said(e *ingest.Event) string {
	for _, a := range e.Attrs {
		if a.Name == "$consent" {
			return a.Value
		}
	}
	return "unknown"
}

func ms(t int64) time.Time { return time.UnixMilli(t).UTC() }

func floor(t int64, window experiment.Duration) int64 {
	return ms(t).Truncate(experiment.SlotOf(window)).UnixMilli()
}

func known(x *experiment.Experiment, variant string) string {
	if x.VariantIndex(variant) < 0 {
		return ""
	}
	return variant
}

func asideExposures(l ledger, x *experiment.Experiment, exposures []ingest.Event) {
	for _, e := range exposures {
		out := refused(x, &e)
		if out {
			e.T = ms(e.T).Truncate(time.Minute).UnixMilli()
		}
		it := x.At(ms(e.T))
		var killed *experiment.Iteration // it ended before, and nothing came after it
		for k := range x.Iterations {    // ascending: the last one that has ended decides
			if past := &x.Iterations[k]; it == nil && !past.End.After(ms(e.T)) {
				if killed = nil; past.Killed != nil {
					killed = past
				}
			}
		}
		then := x
		if ran := cmp.Or(it, killed); ran != nil {
			then = designed(x, ran)
		}
		otherKind := e.UnitKind != then.UnitKind
		if otherKind && it == nil {
			then = x // shown under no iteration
		}
		c := ingest.Cell{Experiment: x.Key, Variant: known(then, e.Variant), Slot: floor(e.T, then.Window)}
		if it != nil {
			c.Iteration, c.Phase = it.Number, it.PhaseAt(ms(e.T)).Number
		}
		switch {
		case otherKind:
			c.Metric = ingest.OtherUnitKind
		case killed != nil:
			c.Metric, c.Iteration = ingest.AfterEnd, killed.Number
		case it == nil:
			c.Metric = ingest.Outside
		case c.Variant == "":
			c.Metric = ingest.UnknownVariant
		case out || then.Consent.Require != "":
			c.Metric, c.Value = "$consent", said(&e)
		default:
			continue
		}
		l.at(c).n++
	}
}

// designed is the experiment as it was when the iteration ran.
func designed(x *experiment.Experiment, it *experiment.Iteration) *experiment.Experiment {
	then := *x
	if d := it.Design; d != nil {
		then.UnitKind, then.Variants, then.Window, then.Grace = d.UnitKind, d.Variants, d.Window, d.Grace
		then.Crossovers, then.Dimensions, then.Exclude = d.Crossovers, d.Dimensions, d.Exclude
		then.Consent, then.Attributes = d.Consent, d.Attributes
	}
	return &then
}

func bruteIteration(l ledger, x *experiment.Experiment, it *experiment.Iteration, exposures, events []ingest.Event) {
	exposures = slices.DeleteFunc(slices.Clone(exposures), func(e ingest.Event) bool { return refused(x, &e) })
	x = designed(x, it)
	var first *ingest.Event
	for i, e := range exposures {
		if e.UnitKind == x.UnitKind && x.VariantIndex(e.Variant) >= 0 && x.At(ms(e.T)) == it && ms(e.T).Before(it.EnrolUntil) {
			first = &exposures[i]
			break
		}
	}
	if first == nil {
		return
	}
	phase := it.PhaseAt(ms(first.T))
	proves := slices.Contains(first.Attrs, ingest.Attr{Name: "$verified", Value: "verified"})
	if x.Attributes == "verified" && !proves {
		unbelieved := *first
		unbelieved.Attrs = slices.DeleteFunc(slices.Clone(first.Attrs), func(a ingest.Attr) bool { return a.Name[0] != '$' })
		first = &unbelieved
	}
	base := ingest.Cell{
		Experiment: x.Key, Iteration: it.Number, Phase: phase.Number, Variant: first.Variant,
		Settling: phase.Number > 1 && ms(first.T).Before(phase.From.Add(phase.Settle.Std())),
	}
	if slices.Contains(first.Attrs, ingest.Attr{Name: "$sample", Value: "out"}) {
		base.Metric, base.Slot, base.Value = "$sample", floor(first.T, x.Window), "out"
		l.at(base).n++
		return
	}
	for _, c := range x.Exclude {
		if meets(c, first.Attrs) {
			base.Metric, base.Slot = ingest.Excluded, floor(first.T, x.Window)
			l.at(base).n++
			return
		}
	}
	other := ""
	for _, e := range exposures {
		if e.Variant == first.Variant || x.VariantIndex(e.Variant) < 0 || x.At(ms(e.T)) != it {
			continue
		}
		if p := it.PhaseAt(ms(e.T)); p != phase {
			c := base
			c.Metric, c.Phase, c.Settling, c.Value, c.Slot = ingest.Moved, p.Number, false, e.Variant, floor(e.T, x.Window)
			l.at(c).n++
		} else if other == "" {
			other = e.Variant
		}
	}
	each := func(metric string, window experiment.Duration, add func(*sums)) {
		c := base
		c.Metric, c.Slot = metric, floor(first.T, window)
		add(l.at(c))
		for _, d := range x.Dimensions {
			c.Dimension, c.Value = d.Attribute, value(first.Attrs, d)
			add(l.at(c))
		}
	}
	each(ingest.Units, x.Window, func(s *sums) { s.n++ })
	for _, a := range first.Attrs {
		if a.Name == "$assignment" || a.Name == "$sample" {
			c := base
			c.Metric, c.Value, c.Slot = a.Name, a.Value, floor(first.T, x.Window)
			l.at(c).n++
		}
	}
	if other != "" && x.Crossovers != experiment.First {
		c := base
		c.Metric, c.Value, c.Slot = ingest.CrossoverUnits, other, floor(first.T, x.Window)
		l.at(c).n++
		return
	}
	for k := range it.Metrics {
		m := &it.Metrics[k]
		if m.Kind == experiment.Quantile {
			continue
		}
		bruteMetric(l, base, x, it, m, first, events, each)
	}
}

// bruteMetric adds one unit's y, or the two of a ratio, to a metric's cells.
func bruteMetric(l ledger, base ingest.Cell, x *experiment.Experiment, it *experiment.Iteration, m *experiment.Metric, first *ingest.Event, events []ingest.Event,
	each func(string, experiment.Duration, func(*sums)),
) {
	from, to := ms(first.T).Add(-x.Grace.Std()), ms(first.T).Add(x.WindowOf(m).Std()).Add(1)
	if m.Kind == experiment.Retention {
		from, to = ms(first.T).Add(m.From.Std()), ms(first.T).Add(m.To.Std())
	}
	var during []ingest.Event
	for _, e := range events {
		if t := ms(e.T); e.Type == ingest.Outcome && x.At(t) == it && !t.Before(from) && t.Before(to) {
			during = append(during, e)
		}
	}
	var y, z *big.Int
	switch m.Kind {
	case experiment.Ratio:
		y, z = total(l, base, x, m, *m.Numerator, during), total(l, base, x, m, *m.Denominator, during)
	default:
		how := map[experiment.Kind]experiment.Aggregation{
			experiment.Mean: "sum", experiment.Sum: "sum", experiment.Count: "count", experiment.Proportion: "any", experiment.Retention: "any",
		}[m.Kind]
		y = total(l, base, x, m, experiment.Part{Event: m.Event, Value: m.Value, Where: m.Where, Aggregation: how, Decimals: m.Decimals, Cap: m.Cap}, during)
	}
	each(m.Name, x.WindowOf(m), func(s *sums) {
		for _, v := range []*big.Int{y, z} {
			if v != nil && new(big.Int).Abs(v).Cmp(limit) >= 0 {
				s.over++
				return
			}
		}
		s.n++
		if y.Sign() != 0 && (z == nil || z.Sign() != 0) {
			s.nonZero++
		}
		s.sum.Add(s.sum, y)
		s.squares.Add(s.squares, new(big.Int).Mul(y, y))
		if z != nil {
			s.below.Add(s.below, z)
			s.belowSquares.Add(s.belowSquares, new(big.Int).Mul(z, z))
			s.product.Add(s.product, new(big.Int).Mul(y, z))
		}
	})
}

func value(attrs []ingest.Attr, d experiment.Dimension) string {
	for _, a := range attrs {
		if a.Name == d.Attribute {
			if slices.Contains(d.Values, a.Value) {
				return a.Value
			}
			return "(other)"
		}
	}
	return "(none)"
}

var (
	limit    = new(big.Int).Lsh(big.NewInt(1), 47)
	trillion = big.NewInt(1_000_000_000_000)
)

// total is one total of a unit, over the events of its time; those without a
// usable number are counted on the way.
func total(l ledger, base ingest.Cell, x *experiment.Experiment, m *experiment.Metric, p experiment.Part, during []ingest.Event) *big.Int {
	y := new(big.Int)
	for _, e := range during {
		if e.Name != p.Event || !meets(p.Where, e.Attrs) {
			continue
		}
		switch p.Aggregation {
		case "count":
			y.Add(y, big.NewInt(1))
			continue
		case "any":
			y.SetInt64(1)
			continue
		}
		r := new(big.Rat).SetFrac(e.Value.Big(), trillion)
		c := base
		c.Value, c.Slot = m.Name, floor(e.T, x.Window)
		if name, ok := strings.CutPrefix(p.Value, "attrs."); ok {
			if r = number(e.Attrs, name); r == nil {
				c.Metric = ingest.BadAttribute
				l.at(c).n++
				continue
			}
		}
		v := halfEven(r, p.Decimals)
		if new(big.Int).Abs(v).Cmp(limit) >= 0 {
			c.Metric = ingest.OutOfRange
			l.at(c).n++
			continue
		}
		y.Add(y, v)
	}
	if p.Cap == nil || p.Cap.At == "" {
		return y
	}
	r, _ := new(big.Rat).SetString(p.Cap.At)
	if most := halfEven(r, p.Decimals); y.Cmp(most) > 0 {
		return most
	}
	return y
}

// meets tells whether all of a condition's attributes are so.
func meets(want experiment.Condition, attrs []ingest.Attr) bool {
	for name, value := range want {
		if !slices.Contains(attrs, ingest.Attr{Name: name, Value: value}) {
			return false
		}
	}
	return true
}

// number reads an attribute, rounded to twelve decimals as every value is.
func number(attrs []ingest.Attr, name string) *big.Rat {
	for _, a := range attrs {
		if r, ok := new(big.Rat).SetString(a.Value); ok && a.Name == name {
			return new(big.Rat).SetFrac(halfEven(r, 12), trillion)
		}
	}
	return nil
}

// halfEven returns r·10^decimals rounded to an integer, ties to even.
func halfEven(r *big.Rat, decimals int) *big.Int {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
	num := new(big.Int).Mul(r.Num(), scale)
	q, m := new(big.Int).DivMod(num, r.Denom(), new(big.Int)) // Euclidean: 0 ≤ m < denominator
	switch m.Lsh(m, 1).Cmp(r.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, new(big.Int).And(q, big.NewInt(1)))
	}
	return q
}
