package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// liveWidth is the number of characters of an interval's bar; liveSpan is the
// relative effect at its right end.
const (
	liveWidth = 31
	liveSpan  = 1.0
)

// Live renders the newest looks for a terminal that is watched: a line for each
// experiment with its effect, the always-valid interval and where it stands.
// Freshness decides nothing here; the verdicts do.
func Live(docs []*results.Document) string {
	var b strings.Builder
	var rows []string
	for _, d := range docs {
		rows = append(rows, liveRow(d))
	}
	table(&b, strings.Join([]string{"EXPERIMENT", "UNITS", "METRIC", "EFFECT", "INTERVAL, EVERY LOOK", axis(), "STATE"}, "\t"), rows)
	return b.String()
}

func liveRow(d *results.Document) string {
	c := liveMetric(d)
	units := int64(0)
	for _, p := range d.Phases {
		for _, a := range p.Arms {
			units += a.Units
		}
	}
	if c == nil {
		return strings.Join([]string{d.Experiment, words.Count(units), "", "", "", strings.Repeat(" ", liveWidth), liveState(d)}, "\t")
	}
	e := c.Open.Relative
	return strings.Join([]string{d.Experiment, words.Count(units), c.Metric, words.Percent(e.Estimate), words.PercentRange(e.Sequential),
		bar(e), liveState(d)}, "\t")
}

// liveMetric is the breached guardrail's comparison, else the first goal's.
func liveMetric(d *results.Document) *results.Comparison {
	for _, v := range d.Verdicts {
		if v.Verdict != "breached" {
			continue
		}
		for i := range d.Comparisons {
			if c := &d.Comparisons[i]; c.Metric == v.Metric && c.Arm == v.Arm {
				return c
			}
		}
	}
	for i := range d.Comparisons {
		if d.Comparisons[i].Goal {
			return &d.Comparisons[i]
		}
	}
	return nil
}

// liveState says where the experiment stands, in few words.
func liveState(d *results.Document) string {
	state := strings.ToUpper(catalog.Overall(d))
	if state == "INCONCLUSIVE" || state == "HEALTHY" {
		state = strings.ToLower(state)
		if c := liveMetric(d); c != nil && c.Goal {
			word := map[catalog.Tone]string{catalog.Good: "better", catalog.Bad: "worse"}
			switch complete, soFar := word[catalog.EffectTone(c.Matured, c.Direction)], word[catalog.EffectTone(c.Open, c.Direction)]; {
			case complete != "":
				state = "goal " + complete + "; guardrails " + state
			case soFar != "":
				state = "goal " + soFar + " so far; guardrails " + state
			}
		}
	}
	if catalog.SRMAlarm(d) {
		state = "SPLIT BROKEN (" + splitText(d) + ")"
	}
	if d.Killed != nil {
		state += ", off since " + d.Killed.At.UTC().Format("15:04:05")
	}
	return state
}

// splitText gives the units of each arm in the phase whose split is broken.
func splitText(d *results.Document) string {
	for i := range d.Phases {
		p := &d.Phases[i]
		if !catalog.SplitBroken(p) {
			continue
		}
		var units []string
		for _, a := range p.Arms {
			units = append(units, words.Count(a.Units))
		}
		return strings.Join(units, " : ") + ", p " + words.PValue(p.SRM.P)
	}
	return ""
}

func axis() string {
	left, right := fmt.Sprintf("−%.0f %%", liveSpan*100), fmt.Sprintf("+%.0f %%", liveSpan*100)
	gap := liveWidth - len([]rune(left)) - len([]rune(right)) - 1
	return left + strings.Repeat(" ", gap/2) + "0" + strings.Repeat(" ", gap-gap/2) + right
}

// bar draws an interval: ├──●──┤ around its estimate, ¦ at zero.
func bar(e results.Effect) string {
	line := []rune(strings.Repeat(" ", liveWidth))
	line[column(0)] = '¦'
	if !e.Estimate.Known() {
		return string(line)
	}
	lo, hi := column(-liveSpan), column(liveSpan)
	if e.Sequential.Low.Known() {
		lo = column(e.Sequential.Low.Float())
	}
	if e.Sequential.High.Known() {
		hi = column(e.Sequential.High.Float())
	}
	for i := lo; i <= hi; i++ {
		if line[i] == ' ' {
			line[i] = '─'
		}
	}
	line[lo], line[hi] = '├', '┤'
	line[column(e.Estimate.Float())] = '●'
	return string(line)
}

// column is the position of a relative effect, at the edge when it is beyond.
func column(x float64) int {
	f := (x + liveSpan) / (2 * liveSpan) * (liveWidth - 1)
	return int(math.Round(math.Max(0, math.Min(liveWidth-1, f))))
}

// Since writes the time since a start as a stopwatch does: 01:05.
func Since(start, now time.Time) string {
	s := int(now.Sub(start).Seconds())
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
