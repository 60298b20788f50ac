package report

import (
	"bytes"
	"html"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestBeliefsAreLabelled: whoever sees a posterior sees that it controls no error,
// and nobody sees one who did not ask.
func TestBeliefsAreLabelled(t *testing.T) {
	d := document()
	show := func() (string, string) {
		t.Helper()
		var text, page bytes.Buffer
		if err := Text(&text, d); err != nil {
			t.Fatal(err)
		}
		if err := HTML(&page, Day{Experiments: []Entry{{Experiment: &experiment.Experiment{Key: "cta"}, Document: d}}}); err != nil {
			t.Fatal(err)
		}
		return text.String(), html.UnescapeString(page.String())
	}
	text, page := show()
	if strings.Contains(strings.ToLower(text+page), "belief") {
		t.Error("beliefs are shown to who did not ask")
	}
	d.Beliefs = results.Believe(d, 0.3)
	text, page = show()
	for _, want := range []string{
		results.BeliefNote, "a normal prior on the lift, centred at 0 with a standard deviation of 30.0 %; intervals hold 95.0 % of the posterior",
		"conversion", "complete windows",
	} {
		if !strings.Contains(text, want) || !strings.Contains(page, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
	if got := priorText(&results.Beliefs{Credibility: .9}); got != "from a flat prior; intervals hold 90.0 % of the posterior" {
		t.Error(got)
	}
}
