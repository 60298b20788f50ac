package experiment

import (
	"strings"
	"testing"
)

// TestParseRules: rules on their own are read like those of an experiment.
func TestParseRules(t *testing.T) {
	rules, problems := ParseRules(File{Name: "rules.yaml", Data: []byte(
		"alpha_kill: 4%\nguardrails:\n  - {metric: errors, margin: 20%, mode: kill, hold: 30s}\n  - {metric: spend, margin: 0.5, mode: notify, action: alert}\n")})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if rules.AlphaKill != .04 || len(rules.Guardrails) != 2 || !rules.Guardrails[0].Relative || rules.Guardrails[0].Margin != .2 || !rules.Guardrails[1].NeverKill {
		t.Errorf("%+v", rules)
	}
	for text, want := range map[string]string{
		"guardrails: [{metric: errors, margin: 20%, mode: stop}]": "rules.yaml:1:50: guardrails[0].mode cannot be \"stop\"",
		"guardrails: [{metric: errors, mode: kill}]":              "guardrails[0] has no margin",
		"alpha_kill: 5%": "this file has no guardrails",
		"key: x\nguardrails: [{metric: a, margin: 0, mode: kill}]": "key is not a field",
		"": "is empty",
	} {
		if _, problems := ParseRules(File{Name: "rules.yaml", Data: []byte(text)}); problems == nil || !strings.Contains(problems.Error(), want) {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
	}
}

// TestRulesWith: rules that are tried out have the whole budget and none of the limits.
func TestRulesWith(t *testing.T) {
	v := base(t)
	e := v.Find("x")
	it := e.Latest()
	it.Retrospective = true
	rules := GuardrailRules{AlphaKill: .04, Guardrails: []Guardrail{{Metric: "error_rate", Mode: Kill}, {Metric: "latency", Mode: Notify, NeverKill: true}}}
	then, run := rules.With(e, it)
	parts := then.BudgetOf(&run)
	if len(parts) != 2 || parts[0].Limit != "" || parts[0].Alpha != .04 || parts[1].Limit != LimitNeverKill || parts[1].Alpha != .04 {
		t.Errorf("parts %+v", parts)
	}
	if !it.Retrospective || len(e.Guardrails) != 2 || e.Guardrails[0].Mode != Notify {
		t.Error("the experiment itself was changed")
	}
}
