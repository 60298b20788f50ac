package results

import (
	"cmp"
	"math"
	"slices"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/stats"
)

// phases counts units and tests the split of every phase.
func (c *computation) phases() {
	for i := range c.it.Phases {
		p := &c.it.Phases[i]
		out := Phase{Number: p.Number, From: p.From, Traffic: p.Traffic, Sample: p.Sample}
		if c.v != nil {
			out.Kept = c.keptOf(p)
		}
		if p.Settle > 0 {
			out.Settle = p.Settle.String()
		}
		out.Arms = c.arms(p, false)
		if p.Settle > 0 {
			out.Settling = c.arms(p, true)
		}
		units, left := make([]int64, len(out.Arms)), make([]int64, len(out.Arms))
		for a := range out.Arms {
			units[a], left[a] = out.Arms[a].Units+out.Arms[a].Excluded, out.Arms[a].Left
		}
		out.SRM = sampleRatio(units, p, 1)
		if out.SRMLeft = out.SRM; !slices.Equal(left, units) {
			out.SRMLeft = sampleRatio(left, p, 1)
		}
		out.SRMBy = c.splitBy(p)
		c.doc.Phases = append(c.doc.Phases, out)
	}
}

// keptOf is the share of all units that consumers keep of the phase's exposures; 0: all.
func (c *computation) keptOf(p *experiment.Phase) float64 {
	if kept := c.v.KeptBetween(c.it.Start, p.From); kept < 1 {
		return kept
	}
	return 0
}

// sampleRatio tests a phase's split as one of so many tests.
func sampleRatio(units []int64, p *experiment.Phase, tests int) SRM {
	s := stats.SampleRatio(units, p.Shares)
	threshold := stats.SRMThreshold(int(p.Number)) / float64(max(tests, 1))
	out := SRM{
		P: Number(s.P), LogBF: Number(s.LogBF), ChiSquare: Number(s.ChiSquare), ChiSquareP: Number(s.ChiSquareP),
		ExactP: Number(math.NaN()), Threshold: threshold, Alarm: s.P < threshold,
		Missing: Number(s.Missing), Trivial: s.Trivial(threshold), Leaked: s.Leaked,
	}
	if p, ok := stats.SplitExactP(units, p.Shares); ok {
		out.ExactP = Number(p)
	}
	for _, w := range s.Warnings {
		out.Warnings = append(out.Warnings, w.Message)
	}
	return out
}

// splitBy tests a phase's split among the units with each value of a dimension: what
// loses units often loses those of one browser or country.
func (c *computation) splitBy(p *experiment.Phase) []SRMBy {
	type key struct{ dimension, value string }
	units, tests := map[key][]int64{}, 0
	for _, d := range c.e.Dimensions {
		tests += len(d.Values) + 2 // and (other) and (none)
	}
	for _, cell := range c.rest {
		arm := c.e.VariantIndex(cell.Variant)
		if cell.Metric != ingest.Units || cell.Dimension == "" || cell.Phase != p.Number || cell.Settling || arm < 0 {
			continue
		}
		k := key{cell.Dimension, cell.Value}
		if units[k] == nil {
			units[k] = make([]int64, len(c.e.Variants))
		}
		units[k][arm] += cell.Open.N
	}
	var out []SRMBy
	for k, n := range units {
		out = append(out, SRMBy{Dimension: k.dimension, Value: k.value, Units: n, SRM: sampleRatio(n, p, tests)})
	}
	slices.SortFunc(out, func(a, b SRMBy) int {
		return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Value, b.Value))
	})
	return out
}
