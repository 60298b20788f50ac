package access

import "strings"

// Rule is what a route is.
type Rule struct {
	Action     Action
	Experiment string // name of the path's part that is an experiment's key; "": all of them
	Asks       bool   // although its method could, it changes nothing: a question too long or too private for an address
}

// Rules are all routes of the door by their patterns, as net/http writes them. A
// route that is not in the table is refused to everybody, and a test says so.
func Rules() map[string]Rule {
	rules := map[string]Rule{
		"GET /healthz": {Action: Open},
		"GET /readyz":  {Action: Open},
		"GET /metrics": {Action: Metrics},
	}
	for _, some := range []map[string]Rule{loginRules(), pageRules(), apiRules(), ofrepRules()} {
		for pattern, rule := range some {
			rules[pattern] = rule
		}
	}
	return rules
}

// on is a route of the experiment that its path names.
func on(a Action) Rule { return Rule{Action: a, Experiment: "key"} }

func loginRules() map[string]Rule {
	return map[string]Rule{
		"GET /login":        {Action: Open},
		"GET /login/who":    {Action: Open},
		"GET /login/{file}": {Action: Open},
		"POST /login":       {Action: Open},
		"POST /logout":      {Action: Open},

		"GET /login/start":    {Action: Open},
		"GET /login/callback": {Action: Open},
	}
}

// pageRules are the routes for people. A form may be seen by who may read; sending it
// is the act.
func pageRules() map[string]Rule {
	return map[string]Rule{
		"GET /assets/{file}": {Action: Open},
		"GET /favicon.ico":   {Action: Open},
		"GET /reports/":      {Action: Read},

		"GET /{$}":               {Action: Read},
		"GET /effects":           {Action: Read},
		"GET /decisions":         {Action: Read},
		"GET /data":              {Action: Read},
		"GET /planner":           {Action: Read},
		"GET /explain":           {Action: Explain},
		"POST /explain":          {Action: Explain, Asks: true},
		"GET /experiments/{key}": on(Read),

		"GET /experiments/{key}/privacy":    on(Read),
		"GET /experiments/{key}/readiness":  on(Read),
		"GET /experiments/{key}/writeup":    on(Read),
		"GET /experiments/{key}/writeup.md": on(Read),

		"GET /experiments/{key}/analyses":            on(Read),
		"GET /experiments/{key}/analyses/{analysis}": on(Read),
		"GET /experiments/{key}/analyze":             on(Read),
		"POST /experiments/{key}/analyze":            on(AdHoc),

		"GET /experiments/{key}/kill":         on(Read),
		"GET /experiments/{key}/drill":        on(Read),
		"GET /experiments/{key}/resume":       on(Read),
		"GET /experiments/{key}/snooze":       on(Read),
		"GET /experiments/{key}/acknowledge":  on(Read),
		"GET /experiments/{key}/annotate":     on(Read),
		"GET /stop":                           {Action: Read},
		"POST /experiments/{key}/kill":        on(Kill),
		"POST /experiments/{key}/drill":       on(Kill),
		"POST /experiments/{key}/resume":      on(Resume),
		"POST /experiments/{key}/snooze":      on(Snooze),
		"POST /experiments/{key}/acknowledge": on(Acknowledge),
		"POST /experiments/{key}/annotate":    on(Annotate),
		"POST /stop":                          {Action: StopAll},

		"GET /changes":        {Action: Read},
		"POST /changes/{key}": on(Approve),

		"GET /experiments/{key}/ramp/approve":  on(Read),
		"GET /experiments/{key}/ramp/resume":   on(Read),
		"GET /experiments/{key}/ramp/pause":    on(Read),
		"GET /experiments/{key}/ramp/revert":   on(Read),
		"POST /experiments/{key}/ramp/approve": on(GrowRamp),
		"POST /experiments/{key}/ramp/resume":  on(GrowRamp),
		"POST /experiments/{key}/ramp/pause":   on(ShrinkRamp),
		"POST /experiments/{key}/ramp/revert":  on(ShrinkRamp),
	}
}

func apiRules() map[string]Rule {
	return map[string]Rule{
		"GET /api/v1/openapi.json":            {Action: Read},
		"GET /api/v1/experiments":             {Action: Read},
		"GET /api/v1/effects":                 {Action: Read},
		"GET /api/v1/decisions":               {Action: Read},
		"GET /api/v1/configurations":          {Action: Read},
		"GET /api/v1/configurations/{number}": {Action: Read},
		"GET /api/v1/health":                  {Action: Read},
		"POST /api/v1/power":                  {Action: Read, Asks: true},

		"GET /api/v1/experiments/{key}":               on(Read),
		"GET /api/v1/experiments/{key}/results":       on(Read),
		"GET /api/v1/experiments/{key}/history":       on(Read),
		"GET /api/v1/experiments/{key}/srm":           on(Read),
		"GET /api/v1/experiments/{key}/signals":       on(Read),
		"GET /api/v1/experiments/{key}/guardrails":    on(Read),
		"GET /api/v1/experiments/{key}/decisions":     on(Read),
		"GET /api/v1/experiments/{key}/power":         on(Read),
		"GET /api/v1/experiments/{key}/privacy":       on(Read),
		"GET /api/v1/experiments/{key}/readiness":     on(Read),
		"GET /api/v1/experiments/{key}/writeup":       on(Read),
		"POST /api/v1/experiments/{key}/explain":      {Action: Explain, Experiment: "key", Asks: true},
		"GET /api/v1/experiments/{key}/export/{view}": on(Export),

		"GET /api/v1/experiments/{key}/analyses":            on(Read),
		"GET /api/v1/experiments/{key}/analyses/{analysis}": on(Read),
		"GET /api/v1/experiments/{key}/analyses/runs/{run}": on(Read),
		"POST /api/v1/experiments/{key}/analyses":           on(AdHoc),

		"POST /api/v1/experiments/{key}/kill":        on(Kill),
		"POST /api/v1/experiments/{key}/drill":       on(Kill),
		"POST /api/v1/experiments/{key}/resume":      on(Resume),
		"POST /api/v1/experiments/{key}/snooze":      on(Snooze),
		"POST /api/v1/experiments/{key}/acknowledge": on(Acknowledge),
		"POST /api/v1/experiments/{key}/annotate":    on(Annotate),
		"POST /api/v1/stop":                          {Action: StopAll},

		"GET /api/v1/changes":                    {Action: Read},
		"POST /api/v1/experiments/{key}/approve": on(Approve),

		"POST /api/v1/experiments/{key}/ramp/approve": on(GrowRamp),
		"POST /api/v1/experiments/{key}/ramp/resume":  on(GrowRamp),
		"POST /api/v1/experiments/{key}/ramp/pause":   on(ShrinkRamp),
		"POST /api/v1/experiments/{key}/ramp/revert":  on(ShrinkRamp),

		"GET /api/v1/tokens":         {Action: Tokens},
		"DELETE /api/v1/tokens/{id}": {Action: Tokens},
	}
}

// ofrepRules are the routes of clients that ask for variants. A stream asks for its key
// itself: browsers send no token with it.
func ofrepRules() map[string]Rule {
	return map[string]Rule{
		"POST /ofrep/v1/evaluate/flags":       {Action: Evaluate, Asks: true},
		"POST /ofrep/v1/evaluate/flags/{key}": {Action: Evaluate, Asks: true},
		"GET /ofrep/v1/events":                {Action: Open},
	}
}

// Writes tells whether a request may change something: then a person must stand
// behind it.
func (r Rule) Writes(method string) bool { return !r.Asks && Writes(method) }

// Writes tells whether a method may change something.
func Writes(method string) bool {
	switch strings.ToUpper(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return false
	default:
		return true
	}
}
