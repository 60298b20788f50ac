package deploy_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
)

// alert is a rule of alerts.yml.
type alert struct {
	Name        string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(read(t, "prometheus/alerts.yml"), &file); err != nil {
		t.Fatal(err)
	}
	var out []alert
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) == 0 {
		t.Fatal("no alerts found")
	}
	return out
}

// TestPrometheusFiles has Prometheus' own tool check the files and run the unit
// tests of the alerts.
func TestPrometheusFiles(t *testing.T) {
	tool := promtool(t)
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"}, {"test", "rules", "alerts_test.yml"},
	} {
		if err := do(t.Context(), "prometheus", append([]string{tool}, args...)...); err != nil {
			t.Error(err)
		}
	}
}

// labelValues are the values that the code gives to the labels that alerts
// select by. Labels that are missing here may not be selected by.
func labelValues() map[string][]string {
	fates := []string{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ingest.Counts]()) {
		if f.Type.Kind() == reflect.Uint64 {
			fates = append(fates, snake(f.Name))
		}
	}
	return map[string][]string{
		"job":  {"assay"}, // of prometheus.yml
		"fate": fates,
		"outcome": {
			string(guardrails.Decided), string(guardrails.Held), string(guardrails.Verified), string(guardrails.Denied),
			string(guardrails.Failed), string(guardrails.PendingApproval), string(guardrails.NotEffective),
			"dropped", // of a message to people
		},
		"reason":  {string(guardrails.SplitBroken)},
		"verdict": {guardrails.Breached.String()},
		"why":     {"unknown_variant", "other_unit_kind"},
	}
}

// snake turns NoRecord into no_record.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// TestAlertsNameWhatExists: an alert on a metric, label or value that the code
// does not have never fires, and nothing else would say so.
func TestAlertsNameWhatExists(t *testing.T) {
	known := map[string][]string{"up": {"job", "instance"}}
	for _, list := range registered(t) {
		for _, m := range list {
			known[m.name] = append(m.labels, "instance")
			if m.kind == "histogram" {
				known[m.name+"_bucket"] = append(slices.Clone(known[m.name]), "le")
			}
		}
	}
	names := regexp.MustCompile(`\b(assay_\w+|up)\b(?:\{([^}]*)\})?`)
	selector := regexp.MustCompile(`(\w+)=~?"([^"]*)"`)
	values := labelValues()
	for _, a := range alerts(t) {
		used := names.FindAllStringSubmatch(a.Expr, -1)
		if len(used) == 0 {
			t.Errorf("%s is about no metric: %s", a.Name, a.Expr)
		}
		for _, u := range used {
			if known[u[1]] == nil {
				t.Errorf("%s: nothing registers %s", a.Name, u[1])
			}
			for _, s := range selector.FindAllStringSubmatch(u[2], -1) {
				if !slices.Contains(known[u[1]], s[1]) {
					t.Errorf("%s: %s has no label %s", a.Name, u[1], s[1])
				}
				for _, v := range strings.Split(s[2], "|") {
					if !slices.Contains(values[s[1]], v) {
						t.Errorf("%s: nothing sets %s to %q", a.Name, s[1], v)
					}
				}
			}
		}
	}
}

// TestAlertsAreWhole: each says what to do and where that is written, each was
// tried, and the guide has no section about an alert that is gone.
func TestAlertsAreWhole(t *testing.T) {
	guide, tried := string(read(t, doc(t, "operations.md"))), string(read(t, "prometheus/alerts_test.yml"))
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### (Assay\w+)$`).FindAllStringSubmatch(guide, -1) {
		sections[m[1]] = true
	}
	for _, a := range alerts(t) {
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s has no summary or description", a.Name)
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", a.Name, s)
		}
		if got, want := a.Annotations["runbook"], "docs/operations.md#"+strings.ToLower(a.Name); got != want {
			t.Errorf("%s: runbook %q, want %q", a.Name, got, want)
		}
		if !sections[a.Name] {
			t.Errorf("docs/operations.md has no section ### %s", a.Name)
		}
		delete(sections, a.Name)
		if !regexp.MustCompile(`(?m)(alertname="|alertname: )` + a.Name + `\b[^}\n]*("?}', value: 1|$)`).MatchString(tried) {
			t.Errorf("no test in alerts_test.yml sees %s fire", a.Name)
		}
	}
	for name := range sections {
		t.Errorf("docs/operations.md has a section about %s, which is no alert", name)
	}
}
