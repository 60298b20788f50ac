package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// write writes the result, and the page with its plot.
func (s *soak) write() error {
	text, err := json.MarshalIndent(s.result, "", " ")
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	files := map[string]string{s.soakOptions.result: string(text) + "\n"}
	if s.docs != "" && s.only == "" { // a page is about a run in which everything failed
		files[filepath.Join(s.docs, "soak.md")] = soakPage(&s.result)
		files[filepath.Join(s.docs, "images", "soak.svg")] = soakPlot(&s.result)
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // a page for everybody
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}

// soaked prints a result.
func (r *report) soaked(s *soakResult) {
	r.say("\nA SOAK of %.0f s: %d records, verified in %.0f s", s.For, s.Records, s.VerifyTook)
	lines := []string{"  CRITERION\tBOUND\tFOUND\t"}
	for _, c := range s.Criteria {
		lines = append(lines, fmt.Sprintf("  %s\t%s\t%s\t%s", c.Name, c.Bound, c.Got, holds(c)))
	}
	r.table(lines...)
}

func holds(c soakCriterion) string {
	if c.Holds {
		return "ok"
	}
	return "FAILS"
}

// soakPage is docs/soak.md.
func soakPage(r *soakResult) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# A soak\n")
	p("This page and its plot are written by `make soak` (30 minutes at 50,000 events a second; `ARGS=\"--for 5m --rate 20000\"` for another), which fails when a criterion does not hold.\n")
	p("It runs the shipped binary as an installation does: two `ingest`, two `guard` and one `serve` as processes, an Apache Kafka and ClickHouse in processes of their own. A steady stream of events is sent, in which units come, are exposed to two experiments, buy for a minute, and some come back within half an hour; one record of %d is sent twice, one of %d is cut in the middle. Harmful experiments begin one after the other, each with a kill guardrail. Meanwhile everything that the installation rests on fails once, at moments spread over the run whatever its length.\n", soakTwice, soakJunk)
	p("Lag is measured from outside, every %.0f seconds: how long ago a partition ended where the ledger now is. A kill is timed from the sending of the event after which the guard's own test breaches on what was sent so far, to the arrival of the off call; one that overlaps a fault, or the %.0f s after its lag was gone, is told apart. In the end every sum is held against what was sent, and `assay verify` recounts everything from the stored events. Memory is flat when the median of the last fifth of the run is at most that of the third fifth, %.0f %% and %.0f MiB more (ClickHouse: %.0f %% and %.0f MiB); a consumer may also grow by %.0f times what its units do until they reach their limit, because the collector lets garbage grow with what lives.\n",
		soakTick.Seconds(), aroundFault, flatShare*100, flatMiB, engineShare*100, engineMiB, garbageOfState)
	p("## The last run\n")
	p("%s, %s%.0f minutes at %d events a second, %d shards, %d cores for everything, the load included; `memory: %s` for each consumer; ClickHouse's disk: %s.%s\n",
		r.Began.Format("2006-01-02 15:04 UTC"), commitText(r.Commit), r.For/60, r.Rate, r.Shards, r.Cores, r.Memory, r.Disk, noteText(r.Note))
	p("%d records were sent in %.0f s, and all were counted %.0f s after the last one. The recount took %.0f s.\n", r.Records, r.Sent, r.Drained-r.Sent, r.VerifyTook)
	p("![Events a second, lag, kills, parts and memory over the run, with the faults](images/soak.svg)\n")
	p("| criterion | bound | found | |\n|---|---|---|---|")
	for _, c := range r.Criteria {
		p("| %s | %s | %s | %s |", c.Name, c.Bound, c.Got, holds(c))
	}
	p("\n| | fault | began at | lasted | lag at most | no lag, after its end |\n|---|---|---|---|---|---|")
	for i, f := range r.Faults {
		p("| %d | %s | %.0f s | %.0f s | %.1f s | %.0f s |", i+1, f.Name, f.Begin, f.End-f.Begin, f.MostLag, f.Recovered-f.End)
	}
	p("\n`reports/soak.json` has every sample, fault and kill of it.")
	return b.String()
}

func commitText(commit string) string {
	if commit == "" {
		return ""
	}
	return "commit `" + commit + "`, "
}

func noteText(note string) string {
	if note == "" {
		return ""
	}
	return " " + note
}

// The plot: panels below one another over one axis of time.
const (
	soakLeft, soakWidth     = 70.0, 780.0
	soakHeight, soakGap     = 110.0, 42.0
	soakTop                 = 34.0
	soakColumns             = 390 // points of a line
	soakRight           int = 130 // room for the legend
)

var soakColours = []string{"#1f5fa8", "#c2571a", "#2b8a57", "#8a4bb0", "#b3261e", "#5f6b7a", "#a88a00", "#1198a8"}

// soakLine is a line of a panel.
type soakLine struct {
	name string
	at   []float64
	y    []float64
}

// soakPlot draws a result as SVG.
func soakPlot(r *soakResult) string {
	end := max(r.For, r.Drained, 1)
	x := func(at float64) float64 { return soakLeft + at/end*soakWidth }
	panels := []struct {
		title  string
		lines  []soakLine
		points bool
	}{
		{title: "events a second, counted", lines: []soakLine{r.line("all shards", func(s soakSample) (float64, bool) { return s.Events, true })}},
		{title: "lag, seconds, of the partition that is furthest behind", lines: []soakLine{r.line("lag", func(s soakSample) (float64, bool) { return s.lag(), true })}},
		{title: "from the event that shows harm to the off call, seconds", lines: r.killPoints(), points: true},
		{title: "active parts", lines: r.partLines()},
		{title: "memory, MiB", lines: r.memoryLines()},
	}
	height := soakTop + float64(len(panels))*(soakHeight+soakGap)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="10"><rect width="100%%" height="100%%" fill="#fff"/>`+"\n",
		soakLeft+soakWidth+float64(soakRight), height)
	for i, f := range r.Faults {
		stop := max(f.End, f.Recovered)
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.0f" width="%.1f" height="%.0f" fill="#b3261e" fill-opacity="0.10"/><text x="%.1f" y="%.0f" fill="#b3261e">%d</text>`+"\n",
			x(f.Begin), soakTop-14, max(1, x(stop)-x(f.Begin)), height-soakTop-12, x(f.Begin), soakTop-18, i+1)
	}
	for i, p := range panels {
		top := soakTop + float64(i)*(soakHeight+soakGap)
		soakPanel(&b, p.title, top, r.For, p.lines, p.points, x)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// soakPanel draws one panel with its axes and legend, and six stretches of the stream's length.
func soakPanel(b *strings.Builder, title string, top, length float64, lines []soakLine, points bool, x func(float64) float64) {
	most := 0.0
	for _, l := range lines {
		for _, y := range l.y {
			most = max(most, y)
		}
	}
	most = roundUp(most)
	bottom := top + soakHeight
	y := func(v float64) float64 { return bottom - v/most*soakHeight }
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" font-weight="bold">%s</text>`+"\n", soakLeft, top-2, title)
	for i := range 3 {
		v := most * float64(i) / 2
		fmt.Fprintf(b, `<path d="M%.0f %.1fH%.0f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%s</text>`+"\n", soakLeft, y(v), soakLeft+soakWidth, soakLeft-6, y(v)+3, short(v))
	}
	for i := range 7 {
		at := length * float64(i) / 6
		fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle" fill="#666">%s</text>`, x(at), bottom+12, clock(at))
	}
	for i, l := range lines {
		colour := soakColours[i%len(soakColours)]
		fmt.Fprintf(b, "\n"+`<text x="%.0f" y="%.0f" fill="%s">%s</text>`+"\n", soakLeft+soakWidth+8, top+8+12*float64(i), colour, l.name)
		if points {
			for j := range l.at {
				fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="2" fill="%s"/>`, x(l.at[j]), y(l.y[j]), colour)
			}
			continue
		}
		var d []string
		for j := range l.at {
			d = append(d, fmt.Sprintf("%.1f,%.1f", x(l.at[j]), y(l.y[j])))
		}
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="1.2" points="%s"/>`, colour, strings.Join(d, " "))
	}
	b.WriteString("\n")
}

// line takes the largest value of each column.
func (r *soakResult) line(name string, of func(soakSample) (float64, bool)) soakLine {
	l := soakLine{name: name}
	width := max(r.For, r.Drained, 1) / soakColumns
	for _, s := range r.Samples {
		v, ok := of(s)
		if !ok {
			continue
		}
		if n := len(l.at); n > 0 && int(l.at[n-1]/width) == int(s.At/width) {
			l.y[n-1] = max(l.y[n-1], v)
			continue
		}
		l.at, l.y = append(l.at, s.At), append(l.y, v)
	}
	return l
}

func (r *soakResult) memoryLines() (all []soakLine) {
	names := map[string]bool{}
	for _, s := range r.Samples {
		for name := range s.RSS {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, r.line(name, func(s soakSample) (float64, bool) { v, ok := s.RSS[name]; return v, ok && v > 0 }))
	}
	return all
}

func (r *soakResult) partLines() (all []soakLine) {
	for _, table := range []string{"ledger", "events"} {
		all = append(all, r.line(map[string]string{"ledger": "a shard of the ledger", "events": "a month of events"}[table], func(s soakSample) (most float64, ok bool) {
			for name, n := range s.Parts {
				if strings.HasPrefix(name, table+" ") {
					most, ok = max(most, float64(n)), true
				}
			}
			return most, ok
		}))
	}
	return all
}

func (r *soakResult) killPoints() []soakLine {
	calm, disturbed := soakLine{name: "away from faults"}, soakLine{name: "during faults"}
	for _, k := range r.Kills {
		if k.Never || k.Early {
			continue
		}
		into := &calm
		if r.touched(k) {
			into = &disturbed
		}
		into.at, into.y = append(into.at, k.Called), append(into.y, k.Called-k.Shown)
	}
	return []soakLine{calm, disturbed}
}

// roundUp is the next of 1, 2, 5, 10 …
func roundUp(v float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v <= unit*step {
				return unit * step
			}
		}
	}
}

func short(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%gk", v/1000)
	}
	return fmt.Sprintf("%g", v)
}

func clock(seconds float64) string {
	return fmt.Sprintf("%d:%02d", int(seconds)/60, int(seconds)%60)
}
