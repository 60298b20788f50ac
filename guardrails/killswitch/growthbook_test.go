package killswitch

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// growthBookAPI is GrowthBook with one feature and one experiment. Its answers
// are those of packages/back-end/src/api (features/toggleFeature.ts and its v2,
// features/getFeatureV2.ts, experiments/postExperimentStop) and util/errors.ts.
type growthBookAPI struct {
	enabled bool
	status  string // of the experiment
	review  bool
	warns   bool
}

const growthBookToken = "secret_user_0123456789"

func (g *growthBookAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Header.Get("Authorization") != "Bearer "+growthBookToken { // middleware of authentication
		reply(w, 401, `{"message":"Could not find API key"}`)
		return
	}
	switch q.Method + " " + q.URL.Path {
	case "GET /api/v2/features/new-search":
		reply(w, 200, `{"feature":{"id":"new-search","defaultValue":"false","environments":{"production":{"enabled":%t}}}}`, g.enabled)
	case "POST /api/v2/features/new-search/toggle":
		g.toggle(w, q)
	case "GET /api/v1/experiments/exp_19g":
		reply(w, 200, `{"experiment":{"id":"exp_19g","status":"%s"}}`, g.status)
	case "POST /api/v1/experiments/exp_19g/stop":
		g.status = "stopped"
		reply(w, 200, `{"experiment":{"id":"exp_19g","status":"stopped"}}`)
	default: // an Error without a status: 400, for a feature as well as for an experiment
		reply(w, 400, `{"message":"Could not find a feature with that key"}`)
	}
}

func (g *growthBookAPI) toggle(w http.ResponseWriter, q *http.Request) {
	var body struct{ Environments map[string]bool }
	_ = json.NewDecoder(q.Body).Decode(&body)
	off, known := body.Environments["production"]
	switch {
	case !known: // toggleFeature.ts
		reply(w, 400, `{"message":"Unknown environment: 'elsewhere'"}`)
	case g.review: // PermissionError
		reply(w, 403, `{"message":"This feature requires a review before publishing changes. Enable 'REST API always bypasses approval requirements' in organization settings, or use a role/token that grants FlagsBypassApprovals on this project."}`)
	case g.warns && q.URL.Query().Get("ignoreWarnings") != "true": // SoftWarningError
		reply(w, 422, `{"message":"a holdout uses this feature"}`)
	default:
		g.enabled = off
		reply(w, 200, `{"feature":{"id":"new-search"}}`)
	}
}

func growthBookConfig() Config {
	return Config{System: GrowthBook{Token: growthBookToken, Environment: "production"}}
}

func TestGrowthBook(t *testing.T) {
	experiment := func(_ *growthBookAPI, c *Config, _ *Request) {
		c.System, c.Flag = GrowthBook{Token: growthBookToken, Experiment: true}, "exp_19g"
	}
	tests := []struct {
		name   string
		change func(*growthBookAPI, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "off before", change: func(g *growthBookAPI, _ *Config, _ *Request) { g.enabled = false }, want: want{kind: AlreadyOff}},
		{name: "a review is asked for", change: func(g *growthBookAPI, _ *Config, _ *Request) { g.review = true },
			want: want{kind: PendingApproval, attempts: 1, detail: "asks for a review", link: "https://app.growthbook.io/features/new-search"}},
		{name: "a review on a server of one's own, whose pages are not known", change: func(g *growthBookAPI, c *Config, _ *Request) {
			g.review, c.System = true, GrowthBook{URL: "https://gb.example", Token: growthBookToken, Environment: "production"}
		}, want: want{kind: PendingApproval, attempts: 1}},
		{name: "a warning is passed by", change: func(g *growthBookAPI, _ *Config, _ *Request) { g.warns = true },
			want: want{kind: Applied, attempts: 2}},
		{name: "a lost race", faults: []fault{{status: 409, body: `{"message":"nothing was written; retry"}`}},
			want: want{kind: Applied, attempts: 2, waited: 125 * time.Millisecond}},
		{name: "60 calls in this minute", faults: []fault{{status: 429, header: http.Header{"Retry-After": {"20"}}}},
			want: want{kind: Applied, attempts: 2, waited: 20 * time.Second}},
		{name: "another feature is answered with 400", change: func(_ *growthBookAPI, _ *Config, r *Request) { r.Flag = "elsewhere" },
			want: want{kind: NotFound, attempts: 1, detail: "Could not find a feature"}},
		{name: "another environment too", change: func(_ *growthBookAPI, c *Config, _ *Request) {
			c.System = GrowthBook{Token: growthBookToken, Environment: "elsewhere"}
		}, want: want{kind: NotFound, attempts: 1, detail: "Unknown environment"}},
		{name: "400 for another reason", faults: []fault{{status: 400, body: `{"message":"Request body: unrecognized key"}`}},
			want: want{kind: Denied, attempts: 1}},
		{name: "a key that is not known", change: func(_ *growthBookAPI, c *Config, _ *Request) {
			c.System = GrowthBook{Token: "secret_other", Environment: "production"}
		}, want: want{kind: Denied, attempts: 1}},
		{name: "403 without a review", faults: []fault{{status: 403, body: `{"message":"You do not have permission to complete that action."}`}},
			want: want{kind: Denied, attempts: 1}},
		{name: "an experiment is stopped", change: experiment, want: want{kind: Applied, attempts: 1}},
		{name: "an experiment that was stopped before", change: func(g *growthBookAPI, c *Config, r *Request) {
			experiment(g, c, r)
			g.status = "stopped"
		}, want: want{kind: AlreadyOff}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, c, r := &growthBookAPI{enabled: true, status: "running"}, growthBookConfig(), request()
			if tt.change != nil {
				tt.change(g, &c, &r)
			}
			(&peer{system: g, faults: tt.faults}).kill(t, c, r, tt.want)
		})
	}
}

func TestGrowthBookCalls(t *testing.T) {
	p := &peer{system: &growthBookAPI{enabled: true, status: "running"}}
	p.kill(t, growthBookConfig(), request(), want{kind: Applied, attempts: 1})
	c := growthBookConfig()
	c.System, c.Flag = GrowthBook{Token: growthBookToken, Experiment: true}, "exp_19g"
	p.kill(t, c, request(), want{kind: Applied, attempts: 1})
	feature, experiment := "GET /api/v2/features/new-search", "GET /api/v1/experiments/exp_19g"
	want := []string{feature, "POST /api/v2/features/new-search/toggle", feature, experiment, "POST /api/v1/experiments/exp_19g/stop", experiment}
	if diff := cmp.Diff(want, p.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	bodies := []string{
		`{"environments":{"production":false},"reason":"assay kill-1: errors beyond the margin (+6.1 pp)"}`,
		`{"enableTemporaryRollout":false,"reason":"assay kill-1: errors beyond the margin (+6.1 pp)","results":"dnf"}`,
	}
	if diff := cmp.Diff(bodies, p.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}
