package experiment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// draft is an experiment file on its way through random edits. Times are hours
// after epoch; nil leaves a line out.
type draft struct {
	gone       bool
	owner      int
	window     int
	split      int
	margin     int
	goals      []string
	mode       string
	extra      bool // a second guardrail
	event      int  // of the metric purchases, the one that is edited
	iterations []draftIteration
}

type draftIteration struct {
	number            int
	start, enrol, end *int
	phases            []draftPhase
}

type draftPhase struct {
	from    *int
	traffic int
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func hour(h int) time.Time { return epoch.Add(time.Duration(h) * time.Hour) }

// text writes the file.
func (d *draft) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "key: x\nowner: o%d\nvariants: {a: %d%%, b: %d%%}\ncontrol: a\nwindow: %dd\n", d.owner, d.split, 100-d.split, d.window)
	fmt.Fprintf(&b, "goals: [%s]\nkill_switch: s\nguardrails:\n", strings.Join(d.goals, ", "))
	fmt.Fprintf(&b, "  - {metric: latency, margin: %d%%, mode: %s}\n", d.margin, d.mode)
	if d.extra {
		b.WriteString("  - {metric: error_rate, margin: 0, mode: kill}\n")
	}
	if len(d.iterations) > 0 {
		b.WriteString("iterations:\n")
	}
	line := func(name string, h *int) string {
		if h == nil {
			return ""
		}
		return fmt.Sprintf("%s: %s, ", name, stamp(hour(*h)))
	}
	for _, it := range d.iterations {
		fmt.Fprintf(&b, "  - {%s%s%snumber: %d", line("start", it.start), line("enrol_until", it.enrol), line("end", it.end), it.number)
		var phases []string
		for _, p := range it.phases {
			phases = append(phases, fmt.Sprintf("{%straffic: %d%%}", line("from", p.from), p.traffic))
		}
		if len(phases) > 0 {
			fmt.Fprintf(&b, ", phases: [%s]", strings.Join(phases, ", "))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func (d *draft) clone() *draft {
	out := *d
	out.goals = slices.Clone(d.goals)
	out.iterations = slices.Clone(d.iterations)
	for i := range out.iterations {
		out.iterations[i].phases = slices.Clone(out.iterations[i].phases)
	}
	return &out
}

// edit changes something at random; now is the hour of the next apply.
func (d *draft) edit(t *rapid.T, now int) {
	soon := func(label string) *int {
		if rapid.IntRange(0, 3).Draw(t, label+" left out") == 0 {
			return nil
		}
		h := now + rapid.IntRange(-48, 400).Draw(t, label)
		return &h
	}
	switch op := rapid.IntRange(0, 20).Draw(t, "edit"); {
	case op == 0:
		d.owner++
	case op == 1:
		d.window = rapid.IntRange(1, 9).Draw(t, "window")
	case op == 2:
		d.split = rapid.SampledFrom([]int{50, 80}).Draw(t, "split")
	case op == 3:
		d.margin = rapid.IntRange(0, 3).Draw(t, "margin")
	case op == 4:
		d.goals = rapid.SampledFrom([][]string{{"purchases"}, {"purchases", "revenue"}, {"revenue", "purchases", "support_calls"}}).Draw(t, "goals")
	case op == 5:
		d.mode = rapid.SampledFrom([]string{"observe", "notify", "kill"}).Draw(t, "mode")
	case op == 6:
		d.extra = !d.extra
	case op == 14:
		d.event++
	case op == 7:
		d.gone = !d.gone
	case op == 8 || len(d.iterations) == 0:
		number := 1
		if n := len(d.iterations); n > 0 {
			number = d.iterations[n-1].number + rapid.IntRange(1, 2).Draw(t, "step")
		}
		d.iterations = append(d.iterations, draftIteration{number: number, start: soon("start"), enrol: soon("enrol"), end: soon("end")})
	default:
		d.editIteration(t, rapid.IntRange(0, len(d.iterations)-1).Draw(t, "which"), soon)
	}
}

func (d *draft) editIteration(t *rapid.T, i int, soon func(string) *int) {
	it := &d.iterations[i]
	switch rapid.IntRange(0, 6).Draw(t, "iteration's edit") {
	case 0:
		it.start = soon("start")
	case 1:
		it.enrol = soon("enrol")
	case 2:
		it.end = soon("end")
	case 3, 4:
		if len(it.phases) == 0 {
			it.phases = []draftPhase{{traffic: 100}}
		}
		it.phases = append(it.phases, draftPhase{from: soon("from"), traffic: rapid.IntRange(1, 100).Draw(t, "traffic")})
	case 5:
		if n := len(it.phases); n > 0 {
			it.phases[rapid.IntRange(0, n-1).Draw(t, "phase")].traffic = rapid.IntRange(1, 100).Draw(t, "traffic")
		}
	case 6:
		d.iterations = slices.Delete(d.iterations, i, i+1)
	}
}
