package app

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/guardrails/killswitch"
	"github.com/assay-dev/assay/internal/config"
)

// TestSystems: every setting of every flag system arrives where it is used.
func TestSystems(t *testing.T) {
	t.Setenv("KEY", "the-key")
	t.Setenv("OTHER", "the-other")
	tests := []struct {
		yaml string
		want killswitch.System
		flag string
	}{
		{"webhook: {url: u, secret: {env: KEY}, headers: {A: {env: OTHER}}, read_back: {url: r, path: p, off: o, headers: {B: {env: KEY}}}}",
			killswitch.Webhook{URL: "u", Secret: "the-key", Headers: map[string]killswitch.Secret{"A": "the-other"},
				ReadBack: killswitch.ReadBack{URL: "r", Path: "p", Off: "o", Headers: map[string]killswitch.Secret{"B": "the-key"}}}, ""},
		{"unleash: {url: u, token: {env: KEY}, project: p, environment: e, flag: f}",
			killswitch.Unleash{URL: "u", Token: "the-key", Project: "p", Environment: "e"}, "f"},
		{"launchdarkly: {url: u, token: {env: KEY}, project: p, environment: e, trigger: {env: OTHER}, flag: f}",
			killswitch.LaunchDarkly{URL: "u", Token: "the-key", Project: "p", Environment: "e", Trigger: "the-other"}, "f"},
		{"growthbook: {url: u, token: {env: KEY}, environment: e, experiment: true, flag: f}",
			killswitch.GrowthBook{URL: "u", Token: "the-key", Environment: "e", Experiment: true}, "f"},
		{"flipt: {url: u, token: {env: KEY}, environment: e, namespace: n, flag: f}",
			killswitch.Flipt{URL: "u", Token: "the-key", Environment: "e", Namespace: "n"}, "f"},
		{"configcat: {url: u, user: {env: KEY}, password: {env: OTHER}, sdk_key: {env: KEY}, off: o, flag: f}",
			killswitch.ConfigCat{URL: "u", User: "the-key", Password: "the-other", SDKKey: "the-key", Off: "o"}, "f"},
		{"statsig: {url: u, token: {env: KEY}, experiment: true, flag: f}",
			killswitch.Statsig{URL: "u", Token: "the-key", Experiment: true}, "f"},
		{"posthog: {url: u, token: {env: KEY}, project: p, flag: f}",
			killswitch.PostHog{URL: "u", Token: "the-key", Project: "p"}, "f"},
		{"split: {url: u, token: {env: KEY}, harness: true, workspace: w, environment: e, flag: f}",
			killswitch.Split{URL: "u", Token: "the-key", Harness: true, Workspace: "w", Environment: "e"}, "f"},
		{"flagd: {file: j, url: u, token: {env: KEY}, flag: f}", killswitch.Flagd{File: "j", URL: "u", Token: "the-key"}, "f"},
		{"go_feature_flag: {file: j, url: u, token: {env: KEY}, admin_token: {env: OTHER}, flag: f}",
			killswitch.GoFeatureFlag{File: "j", URL: "u", Token: "the-key", AdminToken: "the-other"}, "f"},
	}
	for _, tt := range tests {
		name, _, _ := strings.Cut(tt.yaml, ":")
		var c config.Switch
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var r resolver
		got, flag := r.system(c)
		if diff := cmp.Diff(tt.want, got); diff != "" || flag != tt.flag || r.errs != nil {
			t.Errorf("%s: flag %q, errors %v (-want +got):\n%s", name, flag, r.errs, diff)
		}
	}
}

// TestSecretsThatAreMissing: all of them are named at once, and no switch is made.
func TestSecretsThatAreMissing(t *testing.T) {
	missing := config.Secret{Env: "ASSAY_TEST_NOT_SET"}
	_, err := newSwitches(map[string]config.Switch{"flags": {Webhook: &config.Webhook{
		URL: "https://flags.example", Secret: missing, Headers: map[string]config.Secret{"Authorization": missing},
	}}})
	if err == nil || !strings.Contains(err.Error(), "switches.flags") || strings.Count(err.Error(), "ASSAY_TEST_NOT_SET") != 2 ||
		!strings.Contains(err.Error(), "header Authorization") {
		t.Errorf("error %v", err)
	}
}
