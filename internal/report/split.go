package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
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
			Name: fmt.Sprint(p.Number), From: p.From, Broken: catalog.SplitBroken(p), Arms: p.Arms,
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

// splitState says how the split of a phase stands.
func splitState(p *results.Phase) string {
	switch {
	case catalog.SplitBroken(p):
		return "BROKEN" + missing(p.Arms, p.SRM)
	case p.Alarm != nil:
		return fmt.Sprintf("acknowledged by %s: %s", p.Alarm.By, p.Alarm.Why)
	default:
		return "ok"
	}
}

// missing names the arm that is short of units, and by how much; "" when no alarm
// stands in this look.
func missing(arms []results.PhaseArm, s results.SRM) string {
	if !s.Alarm {
		return ""
	}
	short, least := "", math.Inf(1)
	for _, a := range arms {
		if found := float64(a.Units+a.Excluded) / a.Share; a.Share > 0 && found < least {
			short, least = a.Variant, found
		}
	}
	return missingFrom(short, s)
}

func missingFrom(arm string, s results.SRM) string {
	out := fmt.Sprintf(", at least %s of %s's units are missing", words.Share(s.Missing), arm)
	if s.Trivial {
		out += ", which is trivial"
	}
	return out
}

// splitDoubts warn of phases whose units are as intended until the crossovers are
// taken out: what takes them out prefers an arm. And of units in arms without a share.
func splitDoubts(d *results.Document) []string {
	var out []string
	for _, p := range d.Phases {
		if p.SRMLeft.Alarm && !p.SRM.Alarm {
			out = append(out, fmt.Sprintf("phase %d: after crossovers and excluded units were taken out the split is not the intended one (p %s): "+
				"the effects compare units that were selected", p.Number, words.PValue(p.SRMLeft.P)))
		}
		for _, a := range p.Arms {
			if n := a.Units + a.Excluded; a.Share == 0 && n > 0 {
				out = append(out, fmt.Sprintf("phase %d: %s units saw %s, which had no share: a cache, an override, or a flag that was not as the file says", p.Number, words.Count(n), a.Variant))
			}
		}
	}
	return out
}

// splitBy says which values of a dimension have a broken split, or that none has.
func splitBy(d *results.Document) []string {
	var out []string
	for _, p := range d.Phases {
		broken := 0
		for _, s := range p.SRMBy {
			if s.SRM.Alarm {
				broken++
				out = append(out, splitBySentence(p, s))
			}
		}
		if len(p.SRMBy) > 0 && broken == 0 {
			out = append(out, fmt.Sprintf("phase %d by %s: no split is broken", p.Number, strings.Join(dimensions(p.SRMBy), ", ")))
		}
	}
	return out
}

func splitBySentence(p results.Phase, s results.SRMBy) string {
	var units []string
	arms := make([]results.PhaseArm, len(p.Arms))
	for i := range p.Arms {
		arms[i] = results.PhaseArm{Variant: p.Arms[i].Variant, Share: p.Arms[i].Share, Units: s.Units[i]}
		units = append(units, fmt.Sprintf("%s %s", p.Arms[i].Variant, words.Count(s.Units[i])))
	}
	return fmt.Sprintf("phase %d, %s %s: the split is broken (%s; p %s, threshold %s)%s",
		p.Number, s.Dimension, s.Value, strings.Join(units, ", "), words.PValue(s.SRM.P), words.PValue(results.Number(s.SRM.Threshold)), missing(arms, s.SRM))
}

func dimensions(by []results.SRMBy) []string {
	var out []string
	for _, s := range by {
		if !slices.Contains(out, s.Dimension) {
			out = append(out, s.Dimension)
		}
	}
	return out
}

// oneLook is the split's p of one look: the exact one where χ² is not good.
func oneLook(s results.SRM) string {
	if s.ExactP.Known() && len(s.Warnings) > 0 {
		return words.PValue(s.ExactP) + " (exact)"
	}
	return words.PValue(s.ChiSquareP)
}

func textSplit(b *strings.Builder, d *results.Document) {
	var rows []string
	for _, l := range splitLines(d) {
		var arms []string
		for _, a := range l.Arms {
			arms = append(arms, fmt.Sprintf("%s %s (%s)", a.Variant, words.Count(a.Units), words.Share(results.Number(a.Share))))
		}
		all, left, one := words.PValue(l.SRM.P), words.PValue(l.Left.P), oneLook(l.SRM)
		if l.Settling {
			all, left, one = "", "", ""
		}
		rows = append(rows, strings.Join([]string{l.Name, strings.Join(arms, ", "), all, left, one, l.State}, "\t"))
	}
	table(b, "PHASE\tUNITS (INTENDED)\tP, EVERY LOOK\tAFTER CROSSOVERS\tP, ONE LOOK\tSPLIT", rows)
	if lines := splitBy(d); len(lines) > 0 {
		b.WriteString(strings.Join(lines, "\n") + "\n\n")
	}
}

// Sampled says which phases measure a share of their units only, and what became of the
// others; "" when all are measured.
func Sampled(d *results.Document) string {
	var parts []string
	for _, p := range d.Phases {
		if p.Kept > 0 {
			parts = append(parts, fmt.Sprintf("phase %d: consumers keep %s of all units", p.Number, words.Share(results.Number(p.Kept))))
		}
		if p.Sample == 0 {
			continue
		}
		text := fmt.Sprintf("phase %d measures %s of its units", p.Number, words.Share(results.Number(p.Sample)))
		for _, a := range p.Arms {
			if a.LeftOut > 0 {
				text += fmt.Sprintf(", %s of %s came all the same and are left out", words.Count(a.LeftOut), a.Variant)
			}
			if a.ShortKept > 0 {
				text += fmt.Sprintf(", %s of %s were kept at a smaller share", words.Count(a.ShortKept), a.Variant)
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// Excluded says how many units the experiment's exclude leaves out, by arm; "" when
// there are none.
func Excluded(d *results.Document) string {
	var parts []string
	for _, p := range d.Phases {
		for _, a := range slices.Concat(p.Arms, p.Settling) {
			if a.Excluded > 0 {
				parts = append(parts, fmt.Sprintf("%s units of %s (phase %d)", words.Count(a.Excluded), a.Variant, p.Number))
			}
		}
	}
	return strings.Join(parts, ", ")
}
