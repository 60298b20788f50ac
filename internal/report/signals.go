package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/signals"
	"github.com/assay-dev/assay/internal/words"
)

// Signals writes what is known of an iteration's signals as text.
func Signals(w io.Writer, r *signals.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, iteration %d: signals at %s\n", r.Experiment, r.Iteration, words.Instant(r.At))
	if len(r.Signals) == 0 {
		b.WriteString("the experiment file names no signals\n")
	}
	var rows, steps []string
	for i := range r.Signals {
		s := &r.Signals[i]
		rows = append(rows, strings.Join(append([]string{s.Name}, nowOf(s)...), "\t"))
		for _, step := range s.Steps {
			steps = append(steps, strings.Join([]string{
				s.Name, fmt.Sprintf("to phase %d", step.Phase), words.Instant(step.At), exposedText(step.Exposed),
				meanText(step.Before.Mean, s.Unit), meanText(step.After.Mean, s.Unit), strings.ReplaceAll(string(step.Verdict), "_", " "), step.Text,
			}, "\t"))
		}
	}
	b.WriteString(blank(rows))
	table(&b, "SIGNAL\tLAST\tAT\tEXPOSED\tBREAKER\tWHY", rows)
	b.WriteString(blank(steps))
	table(&b, "SIGNAL\tSTEP\tAT\tEXPOSED\tBEFORE\tAFTER\tLEVEL\tWHY", steps)
	if len(steps) > 0 {
		b.WriteString("\nA change at a step is a change at that time: nobody was randomised, and it may have another cause.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func blank(rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	return "\n"
}

// nowOf is the newest stretch of readings of a signal and how its breaker stands.
func nowOf(s *signals.Series) []string {
	out := []string{words.Unknown, words.Unknown, words.Unknown, "no limits", ""}
	if n := len(s.Points); n > 0 {
		p := s.Points[n-1]
		out[0], out[1], out[2] = meanText(p.Mean, s.Unit), words.Instant(p.To), words.Share(results.Number(p.Planned))
		if p.Mean == nil {
			out[0] = fmt.Sprintf("gap (%s)", p.Why)
		}
	} else {
		out[4] = "nothing was read yet"
	}
	if f := s.Breaker; f != nil {
		out[3], out[4] = string(f.State), f.Text
		if f.Holds() {
			out[4] += "; ramps wait"
		}
	}
	return out
}

func exposedText(of [2]float64) string {
	return words.Share(results.Number(of[0])) + " → " + words.Share(results.Number(of[1]))
}

func meanText(mean *float64, unit string) string {
	if mean == nil {
		return words.Unknown
	}
	return words.Mean(results.Number(*mean), "", unit)
}
