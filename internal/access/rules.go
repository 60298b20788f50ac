package access

import "strings"

// Rule is what a route is.
type Rule struct {
	Action     Action
	Experiment string // name of the path's part that is an experiment's key; "": all of them
}

// Rules are all routes of the door by their patterns, as net/http writes them. A
// route that is not in the table is refused to everybody, and a test says so.
func Rules() map[string]Rule {
	on := func(a Action) Rule { return Rule{a, "key"} }
	return map[string]Rule{
		"GET /healthz":               {Open, ""},
		"GET /readyz":                {Open, ""},
		"GET /metrics":               {Metrics, ""},
		"GET /reports/":              {Read, ""},
		"GET /login":                 {Open, ""},
		"POST /login":                {Open, ""},
		"POST /logout":               {Open, ""},
		"GET /login/{file}":          {Open, ""},
		"GET /login/who":             {Open, ""},
		"POST /api/v1/stop":          {StopAll, ""},
		"GET /api/v1/tokens":         {Tokens, ""},
		"DELETE /api/v1/tokens/{id}": {Tokens, ""},

		"POST /api/v1/experiments/{key}/kill":        on(Kill),
		"POST /api/v1/experiments/{key}/resume":      on(Resume),
		"POST /api/v1/experiments/{key}/snooze":      on(Snooze),
		"POST /api/v1/experiments/{key}/acknowledge": on(Acknowledge),
	}
}

// Writes tells whether a method may change something: for all others a request of
// somebody unknown may be good enough.
func Writes(method string) bool {
	switch strings.ToUpper(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	default:
		return true
	}
}
