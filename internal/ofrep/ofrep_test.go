package ofrep

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/experiment"
)

// fixed is a source that changes when the test says so.
type fixed struct {
	mu      sync.Mutex
	set     *assignment.Set
	changed chan struct{}
}

func (f *fixed) Now() (*assignment.Set, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set, f.changed
}

func (f *fixed) change(set *assignment.Set) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.set, f.changed = set, make(chan struct{})
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// version has three experiments: one for everybody with values of its own, one for
// Germany, and one that has not begun.
func version(number uint32, traffic float64) *experiment.Version {
	one := func(key string, at time.Time, a experiment.Assignment) experiment.Experiment {
		a.System = experiment.Assay
		return experiment.Experiment{
			Key: key, UnitKind: "user", Control: "control", Assignment: &a,
			Variants: []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "treatment", Share: 0.5}},
			Iterations: []experiment.Iteration{{Number: 1, Start: at, End: at.AddDate(0, 1, 0),
				Phases: []experiment.Phase{{Number: 1, From: at, Shares: []float64{0.5, 0.5}, Traffic: traffic}}}},
		}
	}
	return &experiment.Version{Number: number, Experiments: []experiment.Experiment{
		one("cta", start, experiment.Assignment{Values: []json.RawMessage{[]byte("false"), []byte("true")}}),
		one("germany", start, experiment.Assignment{Eligible: []experiment.Audience{{"country": {"DE"}, "age": {"7", "8"}, "beta": {"true"}}}}),
		one("later", start.AddDate(0, 2, 0), experiment.Assignment{}),
	}}
}

type world struct {
	*fixed
	server *Server
	http.Handler
	now time.Time
	t   *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{fixed: &fixed{set: assignment.SetOf(version(7, 1), nil, start), changed: make(chan struct{})}, now: start, t: t}
	var err error
	w.server, err = New(Config{Source: w, Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range w.server.Routes() {
		mux.Handle(pattern, h)
	}
	w.Handler = mux
	return w
}

const (
	flags = "/ofrep/v1/evaluate/flags"
	cta   = flags + "/cta"
)

func (w *world) post(path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// TestSingle: an answer has value, variant, reason and the version, whatever the unit
// gets; clients need the first three, and metadata must be flat.
func TestSingle(t *testing.T) {
	w := newWorld(t)
	seen := map[string]int{}
	for i := range 200 {
		rec := w.post(cta, fmt.Sprintf(`{"context":{"targetingKey":"u-%d","any":{"thing":[1]}}}`, i))
		var got struct {
			Key, Variant, Reason string
			Value                bool
			Metadata             map[string]any
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 {
			t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
		}
		part := assignment.Draw("cta:1", assignment.Variant, "user", fmt.Sprint("u-", i))
		want := map[string]any{"configVersion": 7.0, "inExperiment": true, "iteration": 1.0, "phase": 1.0, "bucket": float64(part)}
		if d := cmp.Diff(want, got.Metadata); d != "" || got.Key != "cta" || got.Reason != "SPLIT" ||
			got.Value != (got.Variant == "treatment") || (got.Variant == "treatment") != (part >= experiment.Million/2) {
			t.Fatalf("u-%d: %s %s", i, rec.Body, d)
		}
		seen[got.Variant]++
	}
	if seen["control"] < 60 || seen["treatment"] < 60 {
		t.Errorf("seen %v", seen)
	}
}

// TestSampled: a unit that is not measured gets its variant like the others, and a sign that
// no exposure is to be logged; where everybody is measured nothing is said of it.
func TestSampled(t *testing.T) {
	w := newWorld(t)
	whole := w.post(cta, `{"context":{"targetingKey":"u-1"}}`).Body.String()
	if strings.Contains(whole, "sample") {
		t.Errorf("everybody is measured: %s", whole)
	}
	v := version(7, 1)
	v.Experiments[0].Iterations[0].Phases[0].Sample = 0.1
	w.set = assignment.SetOf(v, nil, start)
	seen := map[bool]int{}
	for i := range 400 {
		unit := fmt.Sprint("u-", i)
		rec := w.post(cta, `{"context":{"targetingKey":"`+unit+`"}}`)
		in := assignment.Draw("cta:1", assignment.Sample, "user", unit) < experiment.Million/10
		if want := fmt.Sprintf(`"sample":0.1,"sampled":%v}`, in); !strings.Contains(rec.Body.String(), want) || !strings.Contains(rec.Body.String(), `"reason":"SPLIT"`) {
			t.Fatalf("%s: %s, want %s", unit, rec.Body, want)
		}
		seen[in]++
	}
	if seen[true] < 15 || seen[false] < 300 {
		t.Errorf("measured %v", seen)
	}
}

// TestBudget: beyond the budget everybody is turned away alike, before anything is read, is
// told when to ask again and is counted; a pause brings a second's worth back and no more.
func TestBudget(t *testing.T) {
	w := newWorld(t)
	w.server.budget.perSecond = 5
	ask := func(n int) (answered int) {
		for i := range n {
			rec := w.post([]string{cta, flags}[i%2], `{"context":{"targetingKey":"u-1"}}`)
			switch {
			case rec.Code == 200:
				answered++
			case rec.Code != 429 || rec.Header().Get("Retry-After") != "1" || !strings.Contains(rec.Body.String(), "errorDetails"):
				t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
			}
		}
		return answered
	}
	for _, c := range []struct {
		pause time.Duration
		want  int
	}{{0, 5}, {0, 0}, {200 * time.Millisecond, 1}, {time.Hour, 5}, {-time.Hour, 0}, {time.Hour + time.Second, 5}} {
		w.now = w.now.Add(c.pause)
		if got := ask(12); got != c.want {
			t.Errorf("after %s: %d answered, want %d", c.pause, got, c.want)
		}
	}
	var unread strings.Reader
	r := httptest.NewRequest(http.MethodPost, cta, &unread)
	rec := httptest.NewRecorder()
	if w.ServeHTTP(rec, r); rec.Code != 429 {
		t.Errorf("a request that cannot be read: %d", rec.Code)
	}
	turned, counters := 0.0, prometheus.NewRegistry()
	counters.MustRegister(w.server.asked)
	families, err := counters.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[1].GetValue() == "429" {
			turned += m.GetCounter().GetValue()
		}
	}
	if turned != 6*12-16+1 {
		t.Errorf("%g were turned away", turned)
	}
}

// TestOutside: who takes no part gets the control's value with the reason why, and a
// sign that no exposure is to be logged.
func TestOutside(t *testing.T) {
	w := newWorld(t)
	off := func(o assignment.Off) *assignment.Set {
		return assignment.SetOf(version(7, 1), map[assignment.Off]bool{o: true}, start)
	}
	for _, c := range []struct {
		name, path, context, want string
		set                       *assignment.Set
	}{
		{"not eligible", flags + "/germany", `"country":"FR","age":7,"beta":true`, `"value":"control","variant":"control","reason":"DEFAULT","metadata":{"configVersion":7,"inExperiment":false,"iteration":1,"phase":1,"bucket":BUCKET,"why":"not_eligible"}`, nil},
		{"eligible", flags + "/germany", `"country":"DE","age":7.0,"beta":true`, `"inExperiment":true`, nil},
		{"a text is not a truth", flags + "/germany", `"country":"DE","age":"7","beta":"yes"`, `"why":"not_eligible"`, nil},
		{"not begun", flags + "/later", ``, `"value":"control","variant":"control","reason":"DEFAULT","metadata":{"configVersion":7,"inExperiment":false,"bucket":0,"why":"not_running"}`, nil},
		{"no traffic", cta, ``, `"value":false,"variant":"control","reason":"DEFAULT"`, assignment.SetOf(version(7, 0), nil, start)},
		{"turned off", cta, ``, `"value":false,"variant":"control","reason":"DISABLED","metadata":{"configVersion":7,"inExperiment":false,"iteration":1,"phase":1,"bucket":0,"why":"turned_off"}`, off(assignment.Off{Experiment: "cta", Iteration: 1})},
	} {
		if c.set == nil {
			c.set = assignment.SetOf(version(7, 1), nil, start)
		}
		w.set = c.set
		body := strings.TrimSuffix(`{"context":{"targetingKey":"u-3",`+c.context, ",") + "}}"
		rec := w.post(c.path, body)
		want := strings.ReplaceAll(c.want, "BUCKET", fmt.Sprint(assignment.Draw("germany:1", assignment.Variant, "user", "u-3")))
		if rec.Code != 200 || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", c.name, rec.Code, rec.Body, want)
		}
	}
}

// TestErrors: what is wrong has the protocol's code, on both paths.
func TestErrors(t *testing.T) {
	w := newWorld(t)
	for body, code := range map[string]string{
		`{"context":{}}`: "TARGETING_KEY_MISSING", `{}`: "TARGETING_KEY_MISSING", `{"context":null}`: "TARGETING_KEY_MISSING",
		`{"context":{"targetingKey":""}}`: "TARGETING_KEY_MISSING", `{"context":{"targetingKey":null}}`: "TARGETING_KEY_MISSING",
		`{"context":{"targetingKey":7}}`: "INVALID_CONTEXT", `{"context":[]}`: "INVALID_CONTEXT", `{"context":"u"}`: "INVALID_CONTEXT",
		`{"context":{"targetingKey":"` + strings.Repeat("x", maxBody) + `"}}`: "INVALID_CONTEXT",
		`{"context"`: "PARSE_ERROR", ``: "PARSE_ERROR", `[]`: "PARSE_ERROR",
	} {
		for _, path := range []string{cta, flags} {
			rec := w.post(path, body)
			var got failure
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 400 || got.Code != code || (got.Key == "cta") != (path == cta) || got.Details == "" {
				t.Errorf("%.40s at %s: %d %s, want %s", body, path, rec.Code, rec.Body, code)
			}
		}
	}
	rec := w.post(flags+"/nobody", `{"context":{"targetingKey":"u"}}`)
	if rec.Code != 404 || !strings.HasPrefix(rec.Body.String(), `{"key":"nobody","errorCode":"FLAG_NOT_FOUND"`) {
		t.Errorf("an unknown flag: %d %s", rec.Code, rec.Body)
	}
	w.set = nil
	for _, path := range []string{cta, flags} {
		if rec := w.post(path, `{"context":{"targetingKey":"u"}}`); rec.Code != 500 || !strings.Contains(rec.Body.String(), "errorDetails") {
			t.Errorf("without a configuration: %d %s", rec.Code, rec.Body)
		}
	}
}

// TestBulk: all flags in one answer, each as alone; its tag stands for context and
// configuration.
func TestBulk(t *testing.T) {
	w := newWorld(t)
	german := `{"context":{"targetingKey":"u-3","country":"DE","age":8,"beta":true}}`
	rec := w.post(flags, german)
	var got struct {
		Flags        []json.RawMessage
		EventStreams []map[string]any
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 || len(got.Flags) != 3 {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	for i, key := range []string{"cta", "germany", "later"} {
		if one := w.post(flags+"/"+key, german).Body.String(); one != string(got.Flags[i]) {
			t.Errorf("alone %s\nwith others %s", one, got.Flags[i])
		}
	}
	if len(got.EventStreams) != 1 || got.EventStreams[0]["type"] != "sse" {
		t.Errorf("streams %v", got.EventStreams)
	}
	tag := rec.Header().Get("ETag")
	for _, c := range []struct {
		name, path, body, header string
		status                   int
	}{
		{"the same", flags, german, tag, 304},
		{"weak, among others", flags, german, `"x", W/` + tag, 304},
		{"another tag", flags, german, `"x"`, 200},
		{"another country", flags, strings.Replace(german, "DE", "FR", 1), tag, 200},
		{"another unit", flags, strings.Replace(german, "u-3", "u-4", 1), tag, 200},
		{"told of a change", flags + "?flagConfigEtag=x", german, tag, 200},
	} {
		rec := w.post(c.path, c.body, "If-None-Match", c.header)
		if rec.Code != c.status || (rec.Body.Len() == 0) != (c.status == 304) || rec.Header().Get("ETag") == "" {
			t.Errorf("%s: %d with %d bytes, want %d", c.name, rec.Code, rec.Body.Len(), c.status)
		}
	}
	for name, set := range map[string]*assignment.Set{
		"a new version": assignment.SetOf(version(8, 1), nil, start),
		"a kill":        assignment.SetOf(version(7, 1), map[assignment.Off]bool{{Experiment: "cta", Iteration: 1}: true}, start),
	} {
		w.set = set
		if rec := w.post(flags, german, "If-None-Match", tag); rec.Code != 200 {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
}

// TestStream: a client is told to ask again when something has changed, and let go
// when the server ends.
func TestStream(t *testing.T) {
	defer goleak.VerifyNone(t)
	w := newWorld(t)
	server := httptest.NewServer(w)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(server.URL + w.server.offer().Endpoint.RequestURI)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", resp.Status, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if lines.Text() != "" {
				return lines.Text()
			}
		}
		return ""
	}
	if got := next(); got != ": assay" {
		t.Errorf("begins with %q", got)
	}
	for number := range uint32(2) {
		set := assignment.SetOf(version(8+number, 1), nil, start)
		w.change(set)
		if got, want := next(), `data: {"type":"refetchEvaluation","etag":"`+set.Tag+`"}`; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	close(w.server.streams.ended)
	if got := next(); got != "" {
		t.Errorf("after the end: %q", got)
	}
}

// TestStreamKey: a stream is for who was given its address within two days, or may ask
// for variants anyway.
func TestStreamKey(t *testing.T) {
	w := newWorld(t)
	close(w.server.streams.ended) // every stream ends at once
	uri := w.server.offer().Endpoint.RequestURI
	ask := func(uri string, role access.Role) int {
		r := httptest.NewRequest(http.MethodGet, uri, http.NoBody)
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r.WithContext(access.With(r.Context(), access.Principal{Role: role})))
		return rec.Code
	}
	for _, c := range []struct {
		uri  string
		role access.Role
		days int
		want int
	}{
		{uri, access.Nobody, 0, 200}, {uri, access.Nobody, 1, 200}, {uri, access.Nobody, 2, 401}, {uri + "x", access.Nobody, 0, 401},
		{streamPath, access.Nobody, 0, 401}, {streamPath, access.Evaluator, 0, 200},
	} {
		w.now = start.AddDate(0, 0, c.days)
		if got := ask(c.uri, c.role); got != c.want {
			t.Errorf("%s as %s after %d days: %d, want %d", c.uri, c.role, c.days, got, c.want)
		}
	}
	if other := newWorld(t).server.offer().Endpoint.RequestURI; other == uri {
		t.Error("two servers have one key")
	}
}

func BenchmarkSingle(b *testing.B) {
	s, err := New(Config{Source: &fixed{set: assignment.SetOf(version(7, 1), nil, start)}, Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range s.Routes() {
		mux.Handle(pattern, h)
	}
	b.ReportAllocs()
	for b.Loop() {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, cta, strings.NewReader(`{"context":{"targetingKey":"u-1","country":"DE"}}`)))
	}
}
