package experiment

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/assay-dev/assay/internal/golden"
)

// The schemas for editors are what the tables say.
func TestSchemasAreCurrent(t *testing.T) {
	golden.File(t, "../../docs/schema/experiment.schema.json", Schema())
	golden.File(t, "../../docs/schema/metric.schema.json", MetricSchema())
}

// formRules are those that a schema can express.
var formRules = []Rule{
	RuleUnknownField, RuleMissingField, RuleEmpty, RuleForm, RuleTooMany, RuleName, RuleMetricDollar, RuleAttribute,
	RuleLink, RuleChoice, RuleWhole, RuleDuration, RuleTime, RuleShare, RuleLevel, RuleMargin, RuleCap, RuleQuantile, RuleNumber,
}

// beyond are files whose form is right and whose value is not: no pattern says it.
var beyond = []string{"bad/duration--zero.yaml", "bad/duration--stall.yaml", "bad/duration--silence.yaml", "bad/duration--huge.yaml", "bad/time--day.yaml", "bad/share--crossovers.yaml"}

// An editor accepts all good files, refuses what is wrong in form, and never
// refuses what is wrong only in meaning.
func TestSchemasAgreeWithTheParser(t *testing.T) {
	schemas := map[string]*jsonschema.Resolved{"key": resolve(t, Schema()), "name": resolve(t, MetricSchema())}
	files := append(goodFiles(t), load(t, "bad/*.yaml")...)
	for _, pattern := range []string{"doubt/*.yaml", "refused/*.yaml", "allowed/*.yaml"} {
		files = append(files, load(t, pattern)...)
	}
	checked := 0
	for _, f := range files {
		content := map[string]any{}
		if err := yaml.Unmarshal(f.Data, &content); err != nil {
			continue // not YAML: there is nothing to hold against a schema
		}
		for field, sc := range schemas {
			if _, ok := content[field]; !ok || len(content) == 1 || ruleOf(f.Name) == RuleFileKind {
				continue
			}
			checked++
			wantBad := slices.Contains(formRules, ruleOf(f.Name)) && !slices.Contains(beyond, f.Name)
			if err := sc.Validate(throughJSON(t, content)); (err != nil) != wantBad {
				t.Errorf("%s: refused %v (%v), want %v", f.Name, err != nil, err, wantBad)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d files were held against the schemas", checked)
	}
}

func resolve(t *testing.T, text []byte) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// throughJSON turns YAML's numbers into those of JSON.
func throughJSON(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
