package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// catalogue is what the oracle reads of a configuration version's JSON.
type catalogue struct {
	Experiments []trial `json:"experiments"`
}

type trial struct {
	Key        string `json:"key"`
	UnitKind   string `json:"unit_kind"`
	Window     string `json:"window"`
	Grace      string `json:"grace"`
	Crossovers string `json:"crossovers"`
	Variants   []struct {
		Key string `json:"key"`
	} `json:"variants"`
	Exclude    []map[string]string `json:"exclude"`
	Dimensions []struct {
		Attribute string   `json:"attribute"`
		Values    []string `json:"values"`
	} `json:"dimensions"`
	Iterations []iteration `json:"iterations"`
}

type iteration struct {
	Number     int             `json:"number"`
	Start      time.Time       `json:"start"`
	EnrolUntil time.Time       `json:"enrol_until"`
	End        time.Time       `json:"end"`
	Killed     json.RawMessage `json:"killed"`
	Phases     []stretch       `json:"phases"`
	Metrics    []metric        `json:"metrics"`
}

type stretch struct {
	Number int       `json:"number"`
	From   time.Time `json:"from"`
	Settle string    `json:"settle"`
}

type metric struct {
	part
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Window      string `json:"window"`
	From        string `json:"from"`
	To          string `json:"to"`
	Numerator   *part  `json:"numerator"`
	Denominator *part  `json:"denominator"`
}

// part is a total of a unit: a metric's y, or one of the two of a ratio.
type part struct {
	Event       string            `json:"event"`
	Value       string            `json:"value"`
	Where       map[string]string `json:"where"`
	Aggregation string            `json:"aggregation"`
	Decimals    int               `json:"decimals"`
	Cap         *struct {
		At string `json:"at"`
	} `json:"cap"`
}

// sums are a cell's moments; their text is what is compared.
type sums struct {
	n, nonzero, over                           int64
	sum, squares, below, belowSquares, product big.Int
}

func (s *sums) all() []*big.Int {
	return []*big.Int{&s.sum, &s.squares, &s.below, &s.belowSquares, &s.product}
}

func (s *sums) String() string {
	return fmt.Sprintf("n=%d nonzero=%d over=%d Σy=%v Σy²=%v Σz=%v Σz²=%v Σyz=%v", s.n, s.nonzero, s.over, &s.sum, &s.squares, &s.below, &s.belowSquares, &s.product)
}

// cell names a place in the ledger.
type cell struct {
	experiment       string
	iteration, phase int
	settling         bool
	variant, metric  string
	slot             int64 // seconds
	dimension, value string
}

func (c cell) String() string {
	return fmt.Sprintf("%s iteration %d phase %d settling %v %s %s slot %d %s=%s", c.experiment, c.iteration, c.phase, c.settling, c.variant, c.metric, c.slot, c.dimension, c.value)
}

type ledger map[cell]*sums

func (l ledger) at(c cell) *sums {
	if l[c] == nil {
		l[c] = &sums{}
	}
	return l[c]
}

// texts leaves out cells in which everything is zero.
func (l ledger) texts() map[string]string {
	out := map[string]string{}
	for c, s := range l {
		something := slices.ContainsFunc(s.all(), func(v *big.Int) bool { return v.Sign() != 0 })
		if s.n != 0 || s.nonzero != 0 || s.over != 0 || something {
			out[c.String()] = s.String()
		}
	}
	return out
}

// count is the oracle: what the ledger must hold.
func count(events []event, config catalogue) ledger {
	l := ledger{}
	units := map[string][]event{}
	for _, e := range events {
		key := e.kind + "\x00" + e.unit
		units[key] = append(units[key], e)
	}
	for _, list := range units {
		// The least time, then the variant's bytes, then the place.
		slices.SortFunc(list, func(a, b event) int {
			return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.variant, b.variant), cmp.Compare(a.topic, b.topic), cmp.Compare(a.offset, b.offset))
		})
		for _, x := range config.Experiments {
			tally{l, x}.unit(list)
		}
	}
	return l
}

// tally counts one experiment.
type tally struct {
	ledger
	trial
}

func (y tally) knows(variant string) bool {
	for _, v := range y.Variants {
		if v.Key == variant {
			return true
		}
	}
	return false
}

// covering finds the iteration of a time, nil without one.
func (y tally) covering(t int64) *iteration {
	for i := range y.Iterations {
		if it := &y.Iterations[i]; t >= it.Start.UnixMilli() && t < it.End.UnixMilli() {
			return it
		}
	}
	return nil
}

func (it *iteration) stretchAt(t int64) stretch {
	at := it.Phases[0]
	for _, p := range it.Phases[1:] {
		if t >= p.From.UnixMilli() {
			at = p
		}
	}
	return at
}

// unit takes a unit's events, sorted.
func (y tally) unit(list []event) {
	seen := map[int][]event{} // exposures that take part, by iteration
	for _, e := range list {
		if !e.exposure || e.experiment != y.Key {
			continue
		}
		if it := y.covering(e.t); y.aside(e, it) {
			seen[it.Number] = append(seen[it.Number], e)
		}
	}
	for i := range y.Iterations {
		it := &y.Iterations[i]
		k := slices.IndexFunc(seen[it.Number], func(e event) bool { return e.t < it.EnrolUntil.UnixMilli() })
		if k >= 0 {
			y.member(it, seen[it.Number][k], seen[it.Number], list)
		}
	}
}

// aside counts an exposure that decides nothing, and tells whether it may decide.
func (y tally) aside(e event, it *iteration) bool {
	c := cell{experiment: y.Key, slot: slot(e.t, y.Window)}
	if y.knows(e.variant) {
		c.variant = e.variant
	}
	if it != nil {
		c.iteration, c.phase = it.Number, it.stretchAt(e.t).Number
	}
	switch {
	case e.kind != y.UnitKind:
		c.metric = "$other_unit_kind"
	case it == nil:
		c.metric = "$outside"
		for i := range y.Iterations {
			if past := y.Iterations[i]; past.End.UnixMilli() <= e.t {
				c.metric, c.iteration = "$outside", 0
				if len(past.Killed) > 0 {
					c.metric, c.iteration = "$after_end", past.Number
				}
			}
		}
	case c.variant == "":
		c.metric = "$unknown_variant"
	default:
		return true
	}
	y.at(c).n++
	return false
}

// member counts a unit with a first exposure.
func (y tally) member(it *iteration, first event, seen, list []event) {
	at := it.stretchAt(first.t)
	base := cell{experiment: y.Key, iteration: it.Number, phase: at.Number, variant: first.variant,
		settling: at.Number > 1 && first.t < at.From.UnixMilli()+span(at.Settle)}
	if slices.ContainsFunc(y.Exclude, func(c map[string]string) bool { return agrees(c, first.attrs) }) {
		base.metric, base.slot = "$excluded", slot(first.t, y.Window)
		y.at(base).n++
		return
	}
	other := ""
	for _, e := range seen {
		p := it.stretchAt(e.t)
		switch {
		case e.variant == first.variant:
		case p.Number != at.Number:
			c := base
			c.metric, c.phase, c.settling, c.value, c.slot = "$moved", p.Number, false, e.variant, slot(e.t, y.Window)
			y.at(c).n++
		case other == "":
			other = e.variant
		}
	}
	y.each(base, "$units", y.Window, first, func(s *sums) { s.n++ })
	if other != "" && y.Crossovers == "exclude" {
		c := base
		c.metric, c.value, c.slot = "$crossover", other, slot(first.t, y.Window)
		y.at(c).n++
		return
	}
	for _, m := range it.Metrics {
		y.metric(it, m, base, first, list)
	}
}

// metric counts a unit's y, or the two totals of a ratio.
func (y tally) metric(it *iteration, m metric, base cell, first event, list []event) {
	window := cmp.Or(m.To, m.Window, y.Window)
	from, to := first.t-span(y.Grace), first.t+span(window)+1
	switch m.Kind {
	case "retention":
		from, to = first.t+span(m.From), first.t+span(m.To)
		m.Aggregation = "any"
	case "mean", "sum":
		m.Aggregation = "sum"
	case "count":
		m.Aggregation = "count"
	case "proportion":
		m.Aggregation = "any"
	}
	during := slices.DeleteFunc(slices.Clone(list), func(e event) bool {
		return e.exposure || y.covering(e.t) != it || e.t < from || e.t >= to
	})
	if m.Kind == "ratio" {
		above, below := y.total(m.Name, *m.Numerator, base, during), y.total(m.Name, *m.Denominator, base, during)
		y.each(base, m.Name, window, first, func(s *sums) { s.divide(above, below) })
		return
	}
	total := y.total(m.Name, m.part, base, during)
	y.each(base, m.Name, window, first, func(s *sums) { s.add(total) })
}

// each adds to the cell of all units and to one for each dimension.
func (y tally) each(c cell, name, window string, first event, add func(*sums)) {
	c.metric, c.slot = name, slot(first.t, window)
	add(y.at(c))
	for _, d := range y.Dimensions {
		text, there := first.attrs[d.Attribute]
		switch {
		case !there:
			text = "(none)"
		case !slices.Contains(d.Values, text):
			text = "(other)"
		}
		c.dimension, c.value = d.Attribute, text
		add(y.at(c))
	}
}

// edge is 2^47: from there on a number does not take part.
var edge = new(big.Int).Lsh(big.NewInt(1), 47)

func (s *sums) add(y *big.Int) {
	if y.CmpAbs(edge) >= 0 {
		s.over++
		return
	}
	s.n++
	if y.Sign() != 0 {
		s.nonzero++
	}
	s.sum.Add(&s.sum, y)
	s.squares.Add(&s.squares, new(big.Int).Mul(y, y))
}

// divide adds the two totals of a ratio.
func (s *sums) divide(above, below *big.Int) {
	if below.CmpAbs(edge) >= 0 {
		s.over++
		return
	}
	had, over := s.nonzero, s.over
	if s.add(above); s.over > over {
		return
	}
	if below.Sign() == 0 {
		s.nonzero = had
	}
	s.below.Add(&s.below, below)
	s.belowSquares.Add(&s.belowSquares, new(big.Int).Mul(below, below))
	s.product.Add(&s.product, new(big.Int).Mul(above, below))
}

// total is one total of a unit, of the events of its time.
func (y tally) total(name string, p part, base cell, during []event) *big.Int {
	sum, times := new(big.Int), int64(0)
	for _, e := range during {
		if e.name != p.Event || !agrees(p.Where, e.attrs) {
			continue
		}
		if times++; p.Aggregation != "sum" {
			continue
		}
		x, ok := e.value, true
		aside := base
		aside.value, aside.slot = name, slot(e.t, y.Window)
		if attribute, reads := strings.CutPrefix(p.Value, "attrs."); reads {
			if x, ok = rational(e.attrs[attribute]); !ok {
				aside.metric = "$bad_attribute"
			}
		}
		if ok && (scaled(x, p.Decimals).CmpAbs(edge) >= 0 || new(big.Rat).Abs(x).Cmp(big.NewRat(1e15, 1)) >= 0) {
			aside.metric, ok = "$out_of_range", false
		}
		if !ok {
			y.at(aside).n++
			continue
		}
		sum.Add(sum, scaled(x, p.Decimals))
	}
	switch p.Aggregation {
	case "count":
		sum.SetInt64(times)
	case "any":
		sum.SetInt64(min(times, 1))
	}
	if p.Cap != nil && p.Cap.At != "" {
		at, _ := new(big.Rat).SetString(p.Cap.At)
		if most := scaled(at, p.Decimals); sum.Cmp(most) > 0 {
			return most
		}
	}
	return sum
}

func agrees(where, attrs map[string]string) bool {
	for name, want := range where {
		if got, ok := attrs[name]; !ok || got != want {
			return false
		}
	}
	return true
}

// slot is where the UTC minute, hour or day of a time begins, in seconds.
func slot(t int64, window string) int64 {
	size := int64(86_400_000)
	switch w := span(window); {
	case w <= 3_600_000:
		size = 60_000
	case w <= 2*86_400_000:
		size = 3_600_000
	}
	return (t - t%size) / 1000
}

// span is a duration's milliseconds; days as "7d".
func span(text string) int64 {
	if text == "" {
		return 0
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, _ := new(big.Int).SetString(days, 10)
		return n.Int64() * 86_400_000
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d.Milliseconds()
}
