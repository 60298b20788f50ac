package killswitch

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// statsigAPI answers as docs.statsig.com/en/api-reference describes it, for one
// gate and one experiment.
type statsigAPI struct {
	enabled bool
	status  string
}

const statsigToken = "console-0123456789"

func (s *statsigAPI) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Header.Get("STATSIG-API-KEY") != statsigToken || q.Header.Get("STATSIG-API-VERSION") != "20240601" { // every endpoint: 401
		reply(w, 401, `{"status":401,"message":"This endpoint only accepts an active CONSOLE key, but an invalid key was sent. Key: console-xxxXXXxxxXXXxxx"}`)
		return
	}
	switch q.Method + " " + q.URL.Path {
	case "GET /console/v1/gates/new-search": // gates/read-gate: 200
		reply(w, 200, `{"message":"Gate read successfully.","data":{"id":"new-search","isEnabled":%t,"status":"In Progress"}}`, s.enabled)
	case "PUT /console/v1/gates/new-search/disable": // gates/disable-gate: 200
		s.enabled = false
		reply(w, 200, `{"message":"Gate updated successfully.","data":{"id":"new-search","isEnabled":false}}`)
	case "GET /console/v1/experiments/new-search": // experiments/read-experiment: 200
		reply(w, 200, `{"message":"Experiment read successfully.","data":{"id":"new-search","status":"%s"}}`, s.status)
	case "PUT /console/v1/experiments/new-search/abandon": // experiments/abandon-experiment: 200, 400
		if s.status == "setup" {
			reply(w, 400, `{"status":400,"message":"Experiment has not yet started"}`)
			return
		}
		s.status = "abandoned"
		reply(w, 200, `{"message":"Experiment abandoned."}`)
	default: // 404
		reply(w, 404, `{"status":404,"message":"Experiment not found."}`)
	}
}

func TestStatsig(t *testing.T) {
	experiment := func(status string) func(*statsigAPI, *Config, *Request) {
		return func(s *statsigAPI, c *Config, _ *Request) {
			s.status, c.System = status, Statsig{Token: statsigToken, Experiment: true}
		}
	}
	tests := []struct {
		name   string
		change func(*statsigAPI, *Config, *Request)
		faults []fault
		want   want
	}{
		{name: "on", want: want{kind: Applied, attempts: 1}},
		{name: "off before", change: func(s *statsigAPI, _ *Config, _ *Request) { s.enabled = false }, want: want{kind: AlreadyOff}},
		{name: "429, without any header", faults: []fault{{status: 429}}, want: want{kind: Applied, attempts: 2, waited: 125 * time.Millisecond}},
		{name: "another gate", change: func(_ *statsigAPI, _ *Config, r *Request) { r.Flag = "elsewhere" }, want: want{kind: NotFound, attempts: 1}},
		{name: "a key that is not known", change: func(_ *statsigAPI, c *Config, _ *Request) { c.System = Statsig{Token: "console-other"} },
			want: want{kind: Denied, attempts: 1, detail: "invalid key"}},
		{name: "an experiment", change: experiment("active"), want: want{kind: Applied, attempts: 1}},
		{name: "an abandoned experiment", change: experiment("abandoned"), want: want{kind: AlreadyOff}},
		{name: "an experiment that has not started", change: experiment("setup"), want: want{kind: AlreadyOff}},
		{name: "it ended meanwhile", change: experiment("active"), faults: []fault{{status: 400, pass: true, body: `{"message":"Experiment has not yet started"}`}},
			want: want{kind: AlreadyOff, attempts: 1}},
		{name: "400 for another reason", change: experiment("active"), faults: []fault{{status: 400, body: `{"message":"decisionReason is required"}`}},
			want: want{kind: Denied, attempts: 1}},
		{name: "one of its groups was shipped: nobody can say", change: experiment("decision_made"), faults: []fault{{status: 200}},
			want: want{kind: Unknown, attempts: 1, waited: 58875 * time.Millisecond, detail: "a decision was made for one of its groups"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, c, r := &statsigAPI{enabled: true, status: "active"}, Config{System: Statsig{Token: statsigToken}}, request()
			if tt.change != nil {
				tt.change(s, &c, &r)
			}
			(&peer{system: s, faults: tt.faults}).kill(t, c, r, tt.want)
		})
	}
}

func TestStatsigCalls(t *testing.T) {
	p := &peer{system: &statsigAPI{enabled: true, status: "active"}}
	p.kill(t, Config{System: Statsig{Token: statsigToken}}, request(), want{kind: Applied, attempts: 1})
	p.kill(t, Config{System: Statsig{Token: statsigToken, Experiment: true}}, request(), want{kind: Applied, attempts: 1})
	if diff := cmp.Diff([]string{"", `{"decisionReason":"assay kill-1: errors beyond the margin (+6.1 pp)"}`}, p.bodies); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}
