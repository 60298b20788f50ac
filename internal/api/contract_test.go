package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// document is the part of an OpenAPI document that the tests read.
type document struct {
	OpenAPI    string `json:"openapi"`
	Paths      map[string]map[string]operation
	Components struct {
		Schemas map[string]any `json:"schemas"`
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Tags        []string
	Summary     string
	Description string
	Parameters  []struct {
		Name, In, Description string
		Required              bool
	}
	RequestBody *struct{ Content map[string]any } `json:"requestBody"`
	Responses   map[string]response
}

type response struct {
	Description string
	Content     map[string]struct{ Schema map[string]any }
}

// contract is the served document, with which answers are compared.
type contract struct {
	document
	routes  map[string]http.Handler
	schemas map[string]*jsonschema.Resolved // by their text
}

func newContract(t *testing.T, a *API, h http.Handler) *contract {
	t.Helper()
	c := &contract{routes: a.Routes(), schemas: map[string]*jsonschema.Resolved{}}
	if err := json.Unmarshal([]byte(do(h, "GET", Prefix+"/openapi.json", "").body), &c.document); err != nil {
		t.Fatal(err)
	}
	return c
}

// of is the operation of a request.
func (c *contract) of(t *testing.T, method, path string) operation {
	t.Helper()
	mux := http.NewServeMux()
	for pattern := range c.routes {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	r, err := http.NewRequest(method, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, pattern := mux.Handler(r)
	_, route, _ := strings.Cut(pattern, " ")
	op, ok := c.Paths[route][strings.ToLower(method)]
	if !ok {
		t.Fatalf("%s %s is not documented (route %q)", method, path, pattern)
	}
	return op
}

// schema resolves a response's schema within the document.
func (c *contract) schema(t *testing.T, s map[string]any) *jsonschema.Resolved {
	t.Helper()
	name, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if known := c.schemas[string(name)]; known != nil {
		return known
	}
	defs := map[string]any{}
	for name, def := range c.Components.Schemas {
		defs[name] = def
	}
	root := map[string]any{"$defs": defs, "allOf": []any{s}}
	b, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(b), "#/components/schemas/", "#/$defs/")), &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.schemas[string(name)] = resolved
	return resolved
}

// holds compares an answer with what is documented of it.
func (c *contract) holds(t *testing.T, method, path string, r *answered) {
	t.Helper()
	documented, ok := c.of(t, method, path).Responses[fmt3(r.StatusCode)]
	if !ok {
		t.Errorf("%s %s: status %d is not documented", method, path, r.StatusCode)
		return
	}
	body := r.body
	if r.StatusCode == http.StatusNotModified {
		if body != "" {
			t.Errorf("%s %s: a body with 304", method, path)
		}
		return
	}
	media := r.Header.Get("Content-Type")
	content, ok := documented.Content[media]
	if !ok {
		t.Errorf("%s %s: %d as %s is not documented", method, path, r.StatusCode, media)
		return
	}
	if !strings.Contains(media, "json") {
		return
	}
	schema := c.schema(t, content.Schema)
	lines := []string{body}
	if media == "application/x-ndjson" {
		lines = strings.Split(strings.TrimSpace(body), "\n")
	}
	for _, line := range lines {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("%s %s: %v: %s", method, path, err, line)
			continue
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s %s: %d as %s is not as documented: %v", method, path, r.StatusCode, media, err)
		}
	}
}

func fmt3(status int) string {
	return string([]byte{byte('0' + status/100), byte('0' + status/10%10), byte('0' + status%10)})
}

// requests are one or more of every operation, and for every status that is documented.
func requests() []struct{ method, path, body string } {
	type request = struct{ method, path, body string }
	var out []request
	for _, path := range []string{
		"/experiments", "/experiments/checkout-cta/results", "/experiments/checkout-cta/history", "/experiments/checkout-cta/srm", "/experiments/checkout-cta/signals",
		"/experiments/checkout-cta/guardrails", "/decisions", "/experiments/checkout-cta/decisions", "/configurations", "/changes", "/health", "/effects",
		"/experiments/checkout-cta/analyses", "/experiments/checkout-cta/analyses/%3Dgerman",
	} {
		for _, form := range []string{"json", "csv", "ndjson", "parquet", "arrow"} {
			out = append(out, request{"GET", path + "?format=" + form, ""})
		}
		out = append(out, request{"GET", path + "?nope=1", ""})
	}
	for _, key := range []string{"checkout-cta", "search-rank", "nope"} {
		for _, path := range []string{"", "/results", "/srm", "/history", "/signals", "/guardrails", "/decisions?evidence=true", "/power", "/export/units?format=ndjson", "/analyses", "/analyses/019c9a3f210-aa", "/analyses/runs/00ff", "/analyses/runs/1", "/privacy", "/readiness", "/readiness?lift=0.1&power=0.9", "/writeup"} {
			out = append(out, request{"GET", "/experiments/" + key + path, ""})
		}
		out = append(out, request{"POST", "/experiments/" + key + "/explain", `{"unit":"u"}`})
	}
	return append(out,
		request{"POST", "/experiments/checkout-cta/explain", `{}`}, request{"POST", "/experiments/checkout-cta/explain?format=ndjson", `{"unit":"u"}`},
		request{"POST", "/power", `{"metrics":[{"metric":"m","mean":0.1,"binary":true}]}`}, request{"POST", "/power", `{"experiment":"nope","metrics":[{"metric":"m","mean":1,"sd":1}]}`},
		request{"POST", "/power", `{"metrics":[{"metric":"m","mean":0}]}`}, request{"POST", "/power", `{"metrics":[]}`},
		request{"GET", "/configurations/7", ""}, request{"GET", "/configurations/8", ""}, request{"GET", "/experiments/checkout-cta/export/units?format=csv", ""},
		request{"GET", "/experiments?format=xml", ""}, request{"GET", "/experiments/checkout-cta?format=csv", ""})
}

// TestContract: every answer is as the served document says, and every status that it
// names is one that can come, with the exception of those that only a broken part gives.
func TestContract(t *testing.T) {
	w := newWorld()
	a, h := serve(t, w)
	c := newContract(t, a, h)
	seen := map[string][]string{}
	for _, q := range requests() {
		r := do(h, q.method, Prefix+q.path, q.body)
		path, _, _ := strings.Cut(Prefix+q.path, "?")
		op := c.of(t, q.method, path)
		seen[op.OperationID] = append(seen[op.OperationID], fmt3(r.StatusCode))
		tag := r.Header.Get("ETag")
		c.holds(t, q.method, path, r)
		if q.method == "GET" && tag != "" {
			again := do(h, q.method, Prefix+q.path, q.body, "If-None-Match: "+tag)
			seen[op.OperationID] = append(seen[op.OperationID], fmt3(again.StatusCode))
			c.holds(t, q.method, path, again)
		}
	}
	for path, methods := range c.Paths {
		for method, op := range methods {
			if byHand(op) { // TestOrdersContract
				continue
			}
			for status := range op.Responses {
				if status == "500" || status == "501" || status == "503" || status == "422" || status == "406" {
					continue
				}
				if !slices.Contains(seen[op.OperationID], status) {
					t.Errorf("%s %s: %s is documented and never came: %v", method, path, status, seen[op.OperationID])
				}
			}
		}
	}
}

// TestFailures: a part that fails is a documented problem too, for every operation.
func TestFailures(t *testing.T) {
	w := newWorld()
	a, h := serve(t, w)
	c := newContract(t, a, h)
	w.failure = http.ErrServerClosed
	for _, q := range requests() {
		r := do(h, q.method, Prefix+q.path, q.body)
		if path, _, _ := strings.Cut(Prefix+q.path, "?"); r.StatusCode >= 500 {
			c.holds(t, q.method, path, r)
		}
	}
}

// TestDocumented: every route stands in the document with a summary, its parameters and
// what they mean, and the document has no route that is not served.
func TestDocumented(t *testing.T) {
	a, h := serve(t, newWorld())
	c := newContract(t, a, h)
	if c.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s", c.OpenAPI)
	}
	documented := map[string]bool{"GET " + Prefix + "/openapi.json": true}
	for path, methods := range c.Paths {
		for method, op := range methods {
			documented[strings.ToUpper(method)+" "+path] = true
			if op.Summary == "" || op.Description == "" || op.OperationID == "" {
				t.Errorf("%s %s says nothing about itself", method, path)
			}
			for _, p := range op.Parameters {
				if p.Description == "" && p.Name != "owner" && p.Name != "experiment" && p.Name != "limit" && p.Name != "key" {
					t.Errorf("%s %s: nothing is said of %s", method, path, p.Name)
				}
			}
		}
	}
	for pattern := range a.Routes() {
		if !documented[pattern] {
			t.Errorf("%s is not documented", pattern)
		}
		delete(documented, pattern)
	}
	for pattern := range documented {
		t.Errorf("%s is documented and not served", pattern)
	}
}
