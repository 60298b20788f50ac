package ingest_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/testref"
)

// A worked case of docs/semantics.md: settings, events and expectations, with
// blank lines between them.
type worked struct {
	title  string
	x      experiment.Experiment
	logs   [2][]string // exposures and outcomes: JSON, by offset
	order  []int       // the topics in the order of the page
	expect map[string]string
}

const caseDay = "2026-03-01"

// TestWorkedCases runs the cases through decoder and joiner, with the two topics
// interleaved as on the page, one after the other, and the other way round.
//
// semantics: mean count proportion everybody cells window grace earlier-arrives-late identity crossover ties moved settling covers asides half-even out-of-range overflow ratio cap retention exclude
func TestWorkedCases(t *testing.T) {
	cases := readCases(t)
	if len(cases) != 13 {
		t.Fatalf("docs/semantics.md has %d cases, not thirteen", len(cases))
	}
	for _, c := range cases {
		sorted := slices.Sorted(slices.Values(c.order))
		for name, order := range map[string][]int{"page": c.order, "exposures first": sorted, "outcomes first": reversed(sorted)} {
			t.Run(c.title+"/"+name, func(t *testing.T) {
				if diff := gocmp.Diff(c.expect, c.run(t, order)); diff != "" {
					t.Errorf("(-page +counted):\n%s", diff)
				}
			})
		}
	}
}

func reversed(list []int) []int {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// run returns the sums in the form of the page, over all slots.
func (w *worked) run(t *testing.T, order []int) map[string]string {
	d := ingest.NewDecoder(ingest.Key{1}, []string{"country"})
	j := ingest.NewJoiner([]string{"exposures", "outcomes"}, &experiment.Version{Number: 1, Experiments: []experiment.Experiment{w.x}})
	total, next := ledger{}, [2]int64{}
	for _, topic := range order {
		rec := ingest.Record{Place: ingest.Place{Topic: uint8(topic), Offset: next[topic]}, KafkaT: clock(t, "23:00:00"), Value: []byte(w.logs[topic][next[topic]])}
		next[topic]++
		e, why, ok := d.Decode(rec)
		if !ok {
			t.Fatalf("%s: %+v", rec.Value, *why)
		}
		j.Add(&e)
		total.add(j.Take())
	}
	bySlot := ledger{}
	for cell, s := range total {
		cell.Slot = 0
		sum := bySlot.at(cell)
		sum.n, sum.over = sum.n+s.n, sum.over+s.over
		for i, v := range s.all() {
			sum.all()[i].Add(sum.all()[i], v)
		}
	}
	return w.lines(bySlot)
}

// lines writes the cells as the page does. Cells of $units and of dimensions that
// the page does not name are left out; all others must be there.
func (w *worked) lines(l ledger) map[string]string {
	out := map[string]string{}
	for cell, s := range l {
		key := cell.Metric + " " + cell.Variant
		switch {
		case cell.Dimension != "":
			key += " " + cell.Dimension + "=" + cell.Value
		case cell.Value != "":
			key += " -> " + cell.Value
		}
		if cell.Phase > 1 {
			key += fmt.Sprint(" phase ", cell.Phase)
		}
		if cell.Settling {
			key += " settling"
		}
		sums := fmt.Sprint("n ", s.n)
		if s.over != 0 {
			sums += fmt.Sprint(" over ", s.over)
		}
		if cell.Metric[0] != '$' {
			sums += " Σy " + s.sum.String() + " Σy² " + s.squares.String()
			if s.belowSquares.Sign() != 0 {
				sums += " Σz " + s.below.String() + " Σz² " + s.belowSquares.String() + " Σyz " + s.product.String()
			}
		} else if cell.Iteration != 1 {
			sums += fmt.Sprint(" iteration ", cell.Iteration)
		}
		_, named := w.expect[key]
		zero := s.n == 0 && s.over == 0 && s.sum.Sign() == 0 && s.squares.Sign() == 0
		if named || !zero && cell.Metric != ingest.Units && cell.Dimension == "" {
			out[key] = sums
		}
	}
	return out
}

func readCases(t *testing.T) []*worked {
	f, err := os.Open(filepath.Join(testref.Root(t), "docs", "semantics.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []*worked
	title, part := "", -1
	for in := bufio.NewScanner(f); in.Scan(); {
		switch line := strings.TrimSpace(in.Text()); {
		case strings.HasPrefix(line, "### "):
			title = line[4:]
		case line == "```case":
			cases, part = append(cases, newWorked(t, title)), 0
		case line == "```":
			part = -1
		case part < 0:
		case line == "":
			part++
		default:
			cases[len(cases)-1].read(t, part, line)
		}
	}
	return cases
}

func newWorked(t *testing.T, title string) *worked {
	w := &worked{title: title, expect: map[string]string{}, x: experiment.Experiment{
		Key: "e", UnitKind: "user", Variants: []experiment.Variant{{Key: "control"}, {Key: "treatment"}}, Control: "control",
		Window: experiment.Duration(time.Hour), Crossovers: experiment.Exclude,
		Iterations: []experiment.Iteration{{Number: 1}},
	}}
	w.iteration(t, "10:00", "13:00", "12:00")
	return w
}

func clock(t *testing.T, text string) int64 {
	at, err := time.Parse("2006-01-02 15:04:05", caseDay+" "+text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func (w *worked) iteration(t *testing.T, start, end, enrol string) {
	it := &w.x.Iterations[0]
	it.Start, it.End, it.EnrolUntil = ms(clock(t, start+":00")), ms(clock(t, end+":00")), ms(clock(t, enrol+":00"))
	it.Phases = []experiment.Phase{{Number: 1, From: it.Start}}
}

func (w *worked) read(t *testing.T, part int, line string) {
	switch part {
	case 0:
		w.setting(t, line)
	case 1:
		w.event(t, strings.Fields(line))
	default:
		at := regexp.MustCompile(` n \d`).FindStringIndex(line)
		if at == nil {
			t.Fatalf("no n in %q", line)
		}
		w.expect[strings.Join(strings.Fields(line[:at[0]]), " ")] = strings.Join(strings.Fields(line[at[0]:]), " ")
	}
}

var settings = map[string]*regexp.Regexp{
	"plain":     regexp.MustCompile(`^(window|grace|crossovers): (\w+)$`),
	"dimension": regexp.MustCompile(`^dimension (\w+): (.+)$`),
	"iteration": regexp.MustCompile(`^iteration 1: ([\d:]+) to ([\d:]+), enrolment until ([\d:]+)(, killed)?$`),
	"phase":     regexp.MustCompile(`^phase (\d+): from ([\d:]+), settle (\w+)$`),
	"exclude":   regexp.MustCompile(`^exclude (\w+): (\w+)$`),
	"metric":    regexp.MustCompile(`^metric (\w+): (\w+) of (\w+)(?:, (\d+) decimals)?(?:, cap (\d+))?$`),
	"retention": regexp.MustCompile(`^metric (\w+): retention of (\w+), from (\w+) to (\w+)$`),
	"ratio":     regexp.MustCompile(`^metric (\w+): (\w+) of (\w+) over (\w+) of (\w+)$`),
}

func (w *worked) setting(t *testing.T, line string) {
	it := &w.x.Iterations[0]
	duration := func(text string) experiment.Duration {
		d, err := experiment.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, kind := range slices.Sorted(maps.Keys(settings)) {
		m := settings[kind].FindStringSubmatch(line)
		if m == nil {
			continue
		}
		switch kind + m[1] {
		case "plainwindow":
			w.x.Window = duration(m[2])
		case "plaingrace":
			w.x.Grace = duration(m[2])
		case "plaincrossovers":
			w.x.Crossovers = experiment.Crossovers(m[2])
		}
		switch kind {
		case "dimension":
			w.x.Dimensions = append(w.x.Dimensions, experiment.Dimension{Attribute: m[1], Values: strings.Split(m[2], ", ")})
		case "iteration":
			if w.iteration(t, m[1], m[2], m[3]); m[4] != "" {
				it.Killed = &experiment.Killed{At: it.End}
			}
		case "phase":
			it.Phases = append(it.Phases, experiment.Phase{Number: uint16(len(it.Phases) + 1), From: ms(clock(t, m[2]+":00")), Settle: duration(m[3])})
		case "exclude":
			w.x.Exclude = append(w.x.Exclude, experiment.Condition{m[1]: m[2]})
		case "metric":
			decimals, _ := strconv.Atoi(m[4])
			metric := experiment.Metric{Name: m[1], Kind: experiment.Kind(m[2]), Event: m[3], Decimals: decimals}
			if m[5] != "" {
				metric.Cap = &experiment.Cap{At: m[5]}
			}
			it.Metrics = append(it.Metrics, metric)
		case "retention":
			it.Metrics = append(it.Metrics, experiment.Metric{Name: m[1], Kind: experiment.Retention, Event: m[2], From: duration(m[3]), To: duration(m[4])})
		case "ratio":
			it.Metrics = append(it.Metrics, experiment.Metric{
				Name: m[1], Kind: experiment.Ratio,
				Numerator:   &experiment.Part{Aggregation: experiment.Aggregation(m[2]), Event: m[3]},
				Denominator: &experiment.Part{Aggregation: experiment.Aggregation(m[4]), Event: m[5]},
			})
		}
		return
	}
	t.Fatalf("unknown setting %q", line)
}

// event writes a line of the page as the native event that it stands for.
func (w *worked) event(t *testing.T, f []string) {
	ts := ms(clock(t, f[0])).Format("2006-01-02T15:04:05.999Z07:00")
	topic, rest := 0, f[4:]
	value := fmt.Sprintf(`{"type":"exposure","ts":%q,"unit":%q,"experiment":"e","variant":%q`, ts, f[1], f[3])
	if f[2] == "did" {
		topic, value = 1, fmt.Sprintf(`{"type":"outcome","ts":%q,"unit":%q,"event":%q`, ts, f[1], f[3])
		if len(rest) > 0 && !strings.Contains(rest[0], "=") {
			value, rest = value+`,"value":`+rest[0], rest[1:]
		}
	}
	var attrs []string
	for _, pair := range rest {
		name, text, _ := strings.Cut(pair, "=")
		if name == "id" {
			value += fmt.Sprintf(`,"id":%q`, text)
			continue
		}
		attrs = append(attrs, fmt.Sprintf("%q:%q", name, text))
	}
	w.logs[topic] = append(w.logs[topic], value+`,"attrs":{`+strings.Join(attrs, ",")+"}}")
	w.order = append(w.order, topic)
}
