package report

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// TestSections: what has something to show is rendered by itself, without a heading of
// its own and with everything escaped.
func TestSections(t *testing.T) {
	s, err := NewSections(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := eventful()
	d.Plan = []results.Plan{{For: results.PlanInterval, Metric: "conversion", Arm: "treatment", Method: results.MethodWelch, Why: "it is a share"}}
	got, err := s.Of(Entry{Experiment: &experiment.Experiment{Key: "cta", Hypothesis: "A <b>bigger</b> button"}, Document: d})
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, x := range got {
		text[x.Name] = string(x.Body)
		if strings.Contains(string(x.Body), "<h3>"+x.Title) || strings.Contains(string(x.Body), "<b>bigger") {
			t.Errorf("%s: %s", x.Name, x.Body)
		}
	}
	for name, want := range map[string]string{"split": "acknowledged by ada", "about": "A &lt;b&gt;bigger&lt;/b&gt; button", "plan": "it is a share"} {
		if !strings.Contains(text[name], want) {
			t.Errorf("%s does not say %q:\n%s", name, want, text[name])
		}
	}
	for _, never := range []string{"dated", "beliefs", "slow"} {
		if _, there := text[never]; there {
			t.Errorf("%s is shown although there is none", never)
		}
	}
}
