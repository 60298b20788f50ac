package experiment

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func readDocs(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/experiments.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The examples of the reference are files that work.
func TestDocumentedExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n# ((?:experiments|metrics)/[^\n]*)\n(.*?)```").FindAllStringSubmatch(readDocs(t), -1)
	var files []File
	for _, b := range blocks {
		files = append(files, File{Name: b[1], Data: []byte(b[2])})
	}
	if len(files) < 5 {
		t.Fatalf("found %d examples", len(files))
	}
	set := mustParse(t, files...)
	if _, _, problems := Apply(nil, set, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "operator"); problems != nil {
		// search-rank begins its phases at two applies; the first knows one of them.
		for _, p := range problems {
			if p.File != "experiments/search-rank.yaml" || p.Rule != RuleTimeOrder {
				t.Error(p)
			}
		}
	}
}

// The phase without a time is added to an experiment that runs, and begins at the
// apply.
func TestDocumentedRamp(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n# experiments/search-rank.yaml\n(.*?)```").FindStringSubmatch(readDocs(t))
	if block == nil {
		t.Fatal("the example is gone")
	}
	file := func(text string) *Set {
		return mustParse(t, append(load(t, "good/metrics/*.yaml"), File{Name: "experiments/search-rank.yaml", Data: []byte(text)})...)
	}
	const second = "      - {traffic: 50%}\n"
	v := mustApply(t, nil, file(strings.Replace(block[1], second, "", 1)), day(t, "2026-03-01"))
	v = mustApply(t, v, file(block[1]), day(t, "2026-03-04"))
	phases := v.Find("search-rank").Latest().Phases
	if len(phases) != 2 || !phases[1].From.Equal(day(t, "2026-03-04")) || phases[1].Traffic != 0.5 {
		t.Errorf("phases %+v", phases)
	}
	if next, _, problems := Apply(v, file(block[1]), day(t, "2026-03-09"), "operator"); next != nil || problems != nil {
		t.Errorf("applied again: %v %v", next, problems)
	}
}

// Every field stands in the reference.
func TestEveryFieldIsDocumented(t *testing.T) {
	docs := readDocs(t)
	var fields []string
	fields = append(fields, names(experimentFields())...)
	fields = append(fields, names(linkFields())...)
	fields = append(fields, names(familyFields())...)
	fields = append(fields, names(dimensionFields())...)
	fields = append(fields, names(guardrailFields())...)
	fields = append(fields, names(checkFields())...)
	fields = append(fields, names(assignmentFields())...)
	fields = append(fields, names(groupFields())...)
	fields = append(fields, names(splitFields())...)
	fields = append(fields, names(crossoverFields())...)
	fields = append(fields, names(assignmentCheckFields())...)
	fields = append(fields, names(signalFields())...)
	fields = append(fields, names(stopFields())...)
	fields = append(fields, names(staleFields())...)
	fields = append(fields, names(iterationFields())...)
	fields = append(fields, names(phaseFields())...)
	fields = append(fields, names(rampFields())...)
	fields = append(fields, names(stepFields())...)
	fields = append(fields, names(metricFields())...)
	for _, f := range fields {
		if !strings.Contains(docs, "`"+f+"`") {
			t.Errorf("docs/experiments.md does not mention %s", f)
		}
	}
}
