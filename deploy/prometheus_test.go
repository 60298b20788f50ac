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
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/signals"
)

// rule is an alert or a recording rule.
type rule struct {
	Alert       string            `yaml:"alert"`
	Record      string            `yaml:"record"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func (r rule) name() string { return r.Alert + r.Record }

// rules are those of a file of deploy/prometheus.
func rules(t *testing.T, file string) []rule {
	t.Helper()
	var parsed struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(read(t, "prometheus/"+file), &parsed); err != nil {
		t.Fatal(err)
	}
	var out []rule
	for _, g := range parsed.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) == 0 {
		t.Fatalf("no rules found in %s", file)
	}
	return out
}

func alerts(t *testing.T) []rule {
	t.Helper()
	return rules(t, "alerts.yml")
}

// TestPrometheusFiles has Prometheus' own tool check the files and run the unit
// tests of the rules.
func TestPrometheusFiles(t *testing.T) {
	tool := promtool(t)
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"},
		{"check", "rules", "--lint=all", "--lint-fatal", "alerts.yml", "recording.yml"},
		{"test", "rules", "alerts_test.yml", "recording_test.yml"},
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
	due := []string{}
	for _, w := range governance.Whats() {
		due = append(due, string(w))
	}
	reasons := []string{string(guardrails.SplitBroken)}
	for reason := range guardrails.RampReasons() {
		reasons = append(reasons, string(reason))
	}
	return map[string][]string{
		"job":  {"assay"}, // of prometheus.yml
		"what": due,
		"fate": fates,
		"outcome": {
			string(guardrails.Decided), string(guardrails.Held), string(guardrails.Verified), string(guardrails.Denied),
			string(guardrails.Failed), string(guardrails.PendingApproval), string(guardrails.NotEffective),
			"dropped", // of a message to people
		},
		"reason":  reasons,
		"move":    {"advance", "revert"},
		"state":   {string(signals.Within), string(signals.Breached), string(signals.Unknown)},
		"verdict": {guardrails.Breached.String()},
		"code":    {"33", "40", "74", "88", "107", "226", "228", "246", "271", "432"}, // of ClickHouse's system.errors
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

// TestRulesNameWhatExists: an alert on a metric, label or value that the code does
// not have never fires, and nothing else would say so.
func TestRulesNameWhatExists(t *testing.T) {
	known := queryable(t)
	for _, r := range slices.Concat(alerts(t), rules(t, "recording.yml")) {
		if n := checkSelectors(t, r.name(), r.Expr, known); n == 0 {
			t.Errorf("%s is about no metric: %s", r.name(), r.Expr)
		}
	}
}

// queryable are the labels of every series that the code's metrics make.
func queryable(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{"up": {"job", "instance"}}
	for _, list := range registered(t) {
		for _, m := range list {
			known[m.name] = append(m.labels, "instance")
			if m.kind == "histogram" {
				known[m.name+"_bucket"] = append(slices.Clone(known[m.name]), "le")
				known[m.name+"_sum"], known[m.name+"_count"] = known[m.name], known[m.name]
			}
		}
	}
	return known
}

// checkSelectors holds the selectors of an expression against what exists, and
// returns how many it found.
func checkSelectors(t *testing.T, where, expr string, known map[string][]string) int {
	t.Helper()
	values := labelValues()
	used := regexp.MustCompile(`\b(assay_\w+|up)\b(?:\{([^}]*)\})?`).FindAllStringSubmatch(expr, -1)
	for _, u := range used {
		if known[u[1]] == nil {
			t.Errorf("%s: nothing registers %s", where, u[1])
		}
		for _, s := range regexp.MustCompile(`(\w+)(?:=~?|!~|!=)"([^"]*)"`).FindAllStringSubmatch(u[2], -1) {
			if !slices.Contains(known[u[1]], s[1]) {
				t.Errorf("%s: %s has no label %s", where, u[1], s[1])
			}
			for _, v := range strings.Split(s[2], "|") {
				if !slices.Contains(values[s[1]], v) {
					t.Errorf("%s: nothing sets %s to %q", where, s[1], v)
				}
			}
		}
	}
	return len(used)
}

// TestRulesAreWhole: each alert says what it is about and whether it wakes somebody,
// and each rule was tried.
func TestRulesAreWhole(t *testing.T) {
	for _, r := range rules(t, "recording.yml") {
		if !strings.Contains(string(read(t, "prometheus/recording_test.yml")), "expr: "+r.Record+"\n") {
			t.Errorf("no test in recording_test.yml asks for %s", r.Record)
		}
	}
	tried := string(read(t, "prometheus/alerts_test.yml"))
	for _, a := range alerts(t) {
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s has no summary or description", a.Alert)
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
		if !regexp.MustCompile(`(?m)(alertname="|alertname: )` + a.Alert + `\b[^}\n]*("?}', value: 1|$)`).MatchString(tried) {
			t.Errorf("no test in alerts_test.yml sees %s fire", a.Alert)
		}
	}
}

// alertNames finds the names of alerts in a text.
var alertNames = regexp.MustCompile(`\bAssay[A-Z]\w+\b`)
