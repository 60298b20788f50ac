package experiment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/golden"
)

// applyTime reads the first line of a changed file: "# apply at DATE".
func applyTime(t *testing.T, f File) time.Time {
	t.Helper()
	first, _, _ := strings.Cut(string(f.Data), "\n")
	date, ok := strings.CutPrefix(first, "# apply at ")
	if !ok {
		t.Fatalf("%s does not say when it is applied", f.Name)
	}
	return day(t, date)
}

// An allowed change gives the changes beside it, and applied again, none.
//
// semantics: timeline
func TestAllowedChanges(t *testing.T) {
	for _, f := range load(t, "allowed/*.yaml") {
		t.Run(f.Name, func(t *testing.T) {
			v, at := base(t), applyTime(t, f)
			set := mustParse(t, append(load(t, "good/metrics/*.yaml"), f)...)
			next, changes, problems := Apply(v, set, at, "operator")
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			got := lines(changes)
			if next != nil {
				got += "\n" + timelineText(next.Find("x"))
				v = next
			}
			golden.File(t, "testdata/"+strings.TrimSuffix(f.Name, "yaml")+"golden", []byte(got))
			if again, _, problems := Apply(v, set, at.Add(time.Hour), "operator"); again != nil || problems != nil {
				t.Errorf("applied again: %v, %v", again, problems)
			}
		})
	}
}

// timelineText writes the iterations of an experiment, one fact a line.
func timelineText(e *Experiment) string {
	var b strings.Builder
	for i := range e.Iterations {
		it := &e.Iterations[i]
		then := e.AsOf(it)
		fmt.Fprintf(&b, "iteration %d: %s, enrol until %s, end %s, salt %q\n", it.Number, stamp(it.Start), stamp(it.EnrolUntil), stamp(it.End), it.Salt)
		fmt.Fprintf(&b, "  window %s, %d kill rules %s at %s\n", then.Window, it.KillRules, it.KillGuardrails, percent(it.AlphaKill))
		for _, p := range it.Phases {
			fmt.Fprintf(&b, "  phase %d: %s, traffic %s, shares %s, settle %s\n", p.Number, stamp(p.From), percent(p.Traffic), shareList(then.Variants, p.Shares), p.Settle)
		}
		for j := range it.Metrics {
			fmt.Fprintf(&b, "  counts %s within %s\n", it.Metrics[j].Name, then.WindowOf(&it.Metrics[j]))
		}
		for _, g := range then.Guardrails {
			fmt.Fprintf(&b, "  guards %s: %s\n", g.Metric, it.ModeOf(g))
		}
	}
	return b.String()
}
