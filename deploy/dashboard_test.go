package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/testref"
)

// leftOut are the metrics that the dashboard does not show, each with the reason.
var leftOut = map[string]string{
	"assay_guard_kill_seconds": "kills are rare: the decision log has each one's times",
}

// TestDashboard holds the Grafana dashboard against the metrics that the code
// registers: a metric that is new is on it, or named above; -update writes it.
func TestDashboard(t *testing.T) {
	d := newDashboard(registered(t))
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(d); err != nil {
		t.Fatal(err)
	}
	golden.File(t, "grafana/assay.json", b.Bytes())
	golden.File(t, "helm/assay/files/assay.json", b.Bytes())

	shown := strings.Join(d.exprs(), "\n")
	unused := maps.Clone(leftOut)
	for process, list := range registered(t) {
		for _, m := range list {
			_, left := leftOut[m.name]
			if on := regexp.MustCompile(`\b` + m.name + `(_bucket)?\b`).MatchString(shown); on == left {
				t.Errorf("%s of assay %s: on the dashboard: %v, named as left out: %v", m.name, process, on, left)
			}
			delete(unused, m.name)
		}
	}
	for name := range unused {
		t.Errorf("%s is left out and not registered", name)
	}
}

// TestDashboardTypes has Grafana's own types read the dashboard: an unknown or missing
// field, or a value that is none of the allowed ones, is an error.
func TestDashboardTypes(t *testing.T) {
	tool := filepath.Join(testref.Root(t), ".cache", "grafana", "check")
	if _, err := os.Stat(tool); err != nil {
		lacking(t, fmt.Sprintf("%v; run make grafana", err))
	}
	if err := do(t.Context(), ".", tool, "grafana/assay.json"); err != nil {
		t.Error(err)
	}
	for what, wrong := range map[string][]byte{
		"an unknown field": bytes.Replace(read(t, "grafana/assay.json"), []byte(`"schemaVersion"`), []byte(`"schemaversion"`), 1),
		"a wrong kind":     bytes.Replace(read(t, "grafana/assay.json"), []byte(`"schemaVersion": `), []byte(`"schemaVersion": "x`), 1),
	} {
		file := filepath.Join(t.TempDir(), "wrong.json")
		if err := os.WriteFile(file, wrong, 0o600); err != nil {
			t.Fatal(err)
		}
		if do(t.Context(), ".", tool, file) == nil {
			t.Errorf("%s is accepted, so the tool checks nothing", what)
		}
	}
}

// TestDashboardQueries has Prometheus parse every query, and holds its metrics,
// labels and values against what exists.
func TestDashboardQueries(t *testing.T) {
	known, recorded := queryable(t), regexp.MustCompile(`\b\w+:assay_\w+:\w+`)
	for _, name := range runtimeMetrics {
		known[name] = []string{"job", "instance"}
	}
	var b strings.Builder
	b.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for i, expr := range newDashboard(registered(t)).exprs() {
		expr = strings.NewReplacer("$__rate_interval", "5m", `=~"$experiment"`, `=~".*"`, `=~"$shard"`, `=~".*"`).Replace(expr)
		raw := strings.NewReplacer(`experiment=~".*"`, "", `shard=~".*"`, "").Replace(recorded.ReplaceAllString(expr, "recorded"))
		checkSelectors(t, "dashboard", raw, known)
		fmt.Fprintf(&b, "      - {record: 'panel:%d', expr: '%s'}\n", i, strings.ReplaceAll(expr, "'", "''"))
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := do(t.Context(), ".", promtool(t), "check", "rules", file); err != nil {
		t.Error(err)
	}
	for _, used := range recorded.FindAllString(b.String(), -1) {
		if !slices.ContainsFunc(rules(t, "recording.yml"), func(r rule) bool { return r.Record == used }) {
			t.Errorf("nothing records %s", used)
		}
	}
}

// The dashboard as Grafana reads it.
type (
	dashboard struct {
		UID           string         `json:"uid"`
		Title         string         `json:"title"`
		Description   string         `json:"description"`
		Tags          []string       `json:"tags"`
		Timezone      string         `json:"timezone"`
		SchemaVersion int            `json:"schemaVersion"`
		Refresh       string         `json:"refresh"`
		Time          map[string]any `json:"time"`
		Templating    struct {
			List []variable `json:"list"`
		} `json:"templating"`
		Annotations struct {
			List []any `json:"list"`
		} `json:"annotations"`
		Panels []panel `json:"panels"`
	}
	variable struct {
		Name       string  `json:"name"`
		Type       string  `json:"type"`
		Label      string  `json:"label"`
		Query      string  `json:"query"`
		Datasource *source `json:"datasource,omitempty"`
		Multi      bool    `json:"multi"`
		IncludeAll bool    `json:"includeAll"`
		AllValue   string  `json:"allValue,omitempty"`
		Refresh    int     `json:"refresh,omitempty"`
	}
	source struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	panel struct {
		ID          int            `json:"id"`
		Type        string         `json:"type"`
		Title       string         `json:"title"`
		Description string         `json:"description,omitempty"`
		Datasource  *source        `json:"datasource,omitempty"`
		GridPos     position       `json:"gridPos"`
		Collapsed   *bool          `json:"collapsed,omitempty"` // of rows
		Panels      *[]panel       `json:"panels,omitempty"`    // of rows: what they hide while collapsed
		Targets     []target       `json:"targets,omitempty"`
		FieldConfig *fieldConfig   `json:"fieldConfig,omitempty"`
		Options     map[string]any `json:"options,omitempty"`
	}
	position struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	target struct {
		RefID        string  `json:"refId"`
		Expr         string  `json:"expr"`
		LegendFormat string  `json:"legendFormat"`
		Datasource   *source `json:"datasource"`
	}
	fieldConfig struct {
		Defaults  fieldDefaults `json:"defaults"`
		Overrides []any         `json:"overrides"`
	}
	fieldDefaults struct {
		Unit       string      `json:"unit"`
		Min        *int        `json:"min,omitempty"`
		Thresholds *thresholds `json:"thresholds,omitempty"`
	}
	thresholds struct {
		Mode  string `json:"mode"`
		Steps []step `json:"steps"`
	}
	step struct {
		Color string   `json:"color"`
		Value *float64 `json:"value"`
	}
)

func (d *dashboard) exprs() []string {
	var out []string
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			out = append(out, t.Expr)
		}
	}
	return out
}
