package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/results"
)

// splitLine is one stretch of an iteration with the units that it brought: a
// phase, or the time in which it settled, which stands in no test.
type splitLine struct {
	Name     string
	From     time.Time
	Settling bool
	Broken   bool
	Arms     []results.PhaseArm
	SRM      results.SRM // of all units: it closes the gates
	Left     results.SRM // after crossovers: it warns
	State    string
}

func splitLines(d *results.Document) []splitLine {
	var lines []splitLine
	for i := range d.Phases {
		p := &d.Phases[i]
		lines = append(lines, splitLine{
			Name: fmt.Sprint(p.Number), From: p.From, Broken: splitBroken(p), Arms: p.Arms,
			SRM: p.SRM, Left: p.SRMLeft, State: splitState(p),
		})
		if slices.ContainsFunc(p.Settling, func(a results.PhaseArm) bool { return a.Units > 0 }) {
			lines = append(lines, splitLine{
				Name: fmt.Sprintf("%d, settling %s", p.Number, p.Settle), From: p.From, Settling: true, Arms: p.Settling,
				State: "in no effect and no test",
			})
		}
	}
	return lines
}

// splitDoubts warn of phases whose units are as intended until the crossovers are
// taken out: what takes them out prefers an arm.
func splitDoubts(d *results.Document) []string {
	var out []string
	for _, p := range d.Phases {
		if p.SRMLeft.Alarm && !p.SRM.Alarm {
			out = append(out, fmt.Sprintf("phase %d: after crossovers and excluded units were taken out the split is not the intended one (p %s): "+
				"the effects compare units that were selected", p.Number, PValue(p.SRMLeft.P)))
		}
	}
	return out
}

func textSplit(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, l := range splitLines(d) {
		var arms []string
		for _, a := range l.Arms {
			arms = append(arms, fmt.Sprintf("%s %s (%s)", a.Variant, Count(a.Units), percent(results.Number(a.Share), false)))
		}
		all, left := PValue(l.SRM.P), PValue(l.Left.P)
		if l.Settling {
			all, left = "", ""
		}
		rows = append(rows, strings.Join([]string{l.Name, strings.Join(arms, ", "), all, left, l.State}, "\t"))
	}
	table(b, "PHASE\tUNITS (INTENDED)\tP, EVERY LOOK\tAFTER CROSSOVERS\tSPLIT", rows)
}

// Excluded says how many units the experiment's exclude leaves out, by arm; "" when
// there are none.
func Excluded(d *results.Document) string {
	var parts []string
	for _, p := range d.Phases {
		for _, a := range slices.Concat(p.Arms, p.Settling) {
			if a.Excluded > 0 {
				parts = append(parts, fmt.Sprintf("%s units of %s (phase %d)", Count(a.Excluded), a.Variant, p.Number))
			}
		}
	}
	return strings.Join(parts, ", ")
}
