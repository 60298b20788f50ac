package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/acts"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/governance"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/results"
)

// TestHTMX: the vendored file is that of the npm package htmx.org 4.0.1.
func TestHTMX(t *testing.T) {
	b, err := assetFiles.ReadFile("assets/htmx.min.js")
	if err != nil {
		t.Fatal(err)
	}
	const want = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
		t.Errorf("htmx.min.js has the hash %x, want %s", sum, want)
	}
}

var addresses = []string{
	"/", "/?view=attention", "/?q=nothing-is-like-that", "/experiments/new-search", "/experiments/price-badge", "/experiments/onboarding", "/experiments/checkout-button",
	"/experiments/checkout-button?iteration=1", "/decisions", "/decisions?what=split", "/data", "/planner", "/planner?from=checkout-button", "/planner?mean=4", "/explain",
	"/experiments/new-search/kill", "/experiments/new-search/resume", "/experiments/new-search/snooze", "/experiments/price-badge/acknowledge", "/experiments/new-search/annotate", "/stop",
	"/experiments/checkout-button/ramp/approve", "/experiments/checkout-button/ramp/resume", "/experiments/checkout-button/ramp/pause", "/experiments/checkout-button/ramp/revert",
	"/experiments/checkout-button/kill", "/experiments/checkout-button/drill", "/experiments/checkout-button/analyses", "/experiments/checkout-button/analyses/019a", "/experiments/checkout-button/analyze", "/experiments/checkout-button/privacy",
	"/experiments/checkout-button/readiness", "/experiments/checkout-button/writeup", "/effects", "/effects?shown=worse&sort=size&goals=1&size=1%25", "/effects?metric=nothing",
}

// TestEveryPage: each page is whole, has one heading of the first order, loads nothing
// from elsewhere and has neither scripts nor styles in it, for somebody who may act and
// for somebody who may not.
func TestEveryPage(t *testing.T) {
	w := newWorld(t)
	w.analyse("checkout-button", "019a", "german", 3)
	w.runs = []catalog.AnalysisRun{{ID: "1", State: catalog.AnalysisRunning, Done: 10, Total: 40}, {ID: "2", State: catalog.AnalysisDone, Analysis: "019a"}, {ID: "3", State: catalog.AnalysisFailed, Problem: "no"}}
	for who, h := range map[string]http.Handler{"reader": w.mux(reader), "operator": w.mux(operator)} {
		for _, address := range addresses {
			got := get(h, address)
			body := got.Body.String()
			if got.Code != http.StatusOK {
				t.Errorf("%s as %s: status %d", address, who, got.Code)
				continue
			}
			if n := strings.Count(body, "<h1"); n != 1 || !strings.HasSuffix(strings.TrimSpace(body), "</html>") {
				t.Errorf("%s as %s: %d headings, ends with %q", address, who, n, body[max(0, len(body)-20):])
			}
			// A link that the experiment's file names leads away and loads nothing.
			body = regexp.MustCompile(`<a href="https://[^"]*" rel="noreferrer">[^<]*</a>`).ReplaceAllString(body, "")
			for _, never := range []string{"http://", "https://", " style=", "<style", "onclick", "NaN", "ZgotmplZ", "%!"} {
				if strings.Contains(strings.ReplaceAll(body, `xmlns="http://www.w3.org/2000/svg"`, ""), never) {
					t.Errorf("%s as %s contains %q", address, who, never)
				}
			}
			if regexp.MustCompile(`<script>|<script [^>]*>[^<]`).MatchString(body) {
				t.Errorf("%s as %s has a script in it", address, who)
			}
			if p := got.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'self'") || strings.Contains(p, "unsafe") {
				t.Errorf("%s: policy %q", address, p)
			}
		}
	}
}

// TestPlainWords: what to do and why stands on the list and on the page, and three
// questions are answered within three clicks of the start page.
func TestPlainWords(t *testing.T) {
	h := newWorld(t).mux(reader)
	for address, wants := range map[string][]string{
		"/":                                       {"Can I trust the data?", "0 of 48 211 records unaccounted for", `href="/data"`, `href="/experiments/new-search"`, "Split broken", "Blind", "Keep running"},
		"/experiments/new-search":                 {`<span role="status">Stopped</span>`, "worse than control by 0.08", "read back as off", "exposures stopped", "kill decided"},
		"/experiments/price-badge":                {`<span role="status">Cannot tell</span>`, "The split is broken", "57.1 %", "50.0 %"},
		"/experiments/onboarding":                 {`<span role="status">Cannot tell</span>`, "No judgement"},
		"/experiments/checkout-button/privacy":    {"attribute health is sensitive", "nothing in this experiment", "role analyst", "consent is not asked for"},
		"/effects?metric=conversion&shown=better": {"checkout-button", "a <small> note", "conversion", `<option selected>better</option>`},
		"/effects?metric=no-such":                 {"No effect is like that", "0 effects"},
		"/experiments/checkout-button/readiness":  {"Not ready", "no such event came lately: <buy>", "send it"},
		"/experiments/checkout-button/writeup":    {"Iteration 1 of 1", "Better on conversion", "A button that stays in view", "a <small> campaign began", "change applied", "Left out of conversion in sticky: iteration 3 had another control", "ab12"},
		"/experiments/checkout-button":            {`<span role="status">Keep running</span>`, "Better on conversion", "desktop", "Effect over time", "A button that stays in view", "How each question is answered"},
		"/data":                                   {"0</b> are unaccounted for", "unit is missing", "offset 812", "1", "as promised"},
		"/decisions":                              {"e105d01a9e07d5923477ab763d6bf2b2f4a7362257782b1e16ec6e6ad0b8f239", "split broken", "no exposure to a treatment is newer than 3s after the kill"},
	} {
		body := strings.ReplaceAll(html.UnescapeString(get(h, address).Body.String()), "\u202f", " ")
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", address, want)
			}
		}
	}
}

// TestZone: times are those of the zone that is configured, in sentences, plots, tables
// and steps alike.
func TestZone(t *testing.T) {
	w := newWorld(t)
	w.zone = time.FixedZone("IST", 5*3600+1800)
	body := get(w.mux(reader), "/experiments/new-search").Body.String()
	for _, want := range []string{"29 Nov 03:3", " IST</text>"} { // 28 November, after 22:00 UTC
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"28 Nov 22:"} {
		if strings.Contains(body, never) {
			t.Errorf("the page says %q", never)
		}
	}
}

// TestNotModified: a page that has not changed is answered with its tag alone, and one
// that has changed is not; htmx gets the content without the frame under another tag.
func TestNotModified(t *testing.T) {
	w := newWorld(t)
	h := w.mux(reader)
	for _, htmx := range []string{"", "true"} {
		first := get(h, "/experiments/checkout-button", "HX-Request", htmx)
		tag := first.Header().Get("ETag")
		if framed := strings.Contains(first.Body.String(), "<!doctype"); framed == (htmx == "true") || first.Header().Get("Vary") != "HX-Request" {
			t.Errorf("HX-Request %q: framed is %v", htmx, framed)
		}
		again := get(h, "/experiments/checkout-button", "HX-Request", htmx, "If-None-Match", tag)
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("HX-Request %q: status %d with %d bytes, want 304", htmx, again.Code, again.Body.Len())
		}
		d := w.details["checkout-button"]
		d.Box.Text += " Or not."
		d.Box.Call = catalog.Ship
		w.details["checkout-button"] = d
		if changed := get(h, "/experiments/checkout-button", "HX-Request", htmx, "If-None-Match", tag); changed.Code != http.StatusOK || !strings.Contains(changed.Body.String(), "Or not.") {
			t.Errorf("HX-Request %q: status %d after a change", htmx, changed.Code)
		}
	}
}

// TestKept: within a second a page is made once for a person and an address; another
// person and another address get their own, and what went wrong is not kept.
func TestKept(t *testing.T) {
	w := newWorld(t)
	w.still = true
	p, err := New(Config{Reader: w, Explainer: w, Hand: w, Explorer: w, Code: "v1", Log: slog.New(slog.DiscardHandler), Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range p.Routes() {
		mux.Handle(pattern, h)
	}
	as := func(who access.Principal, address string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r.WithContext(access.With(r.Context(), who)))
		return rec
	}
	asked := func(want int, what string) {
		t.Helper()
		if w.asked != want {
			t.Errorf("%s: %d details were read, want %d", what, w.asked, want)
		}
	}
	first := as(reader, "/experiments/new-search").Body.String()
	if again := as(reader, "/experiments/new-search").Body.String(); again != first || len(first) == 0 {
		t.Error("the page that is kept is another one")
	}
	asked(1, "twice the same")
	if body := as(operator, "/experiments/new-search").Body.String(); !strings.Contains(body, "/new-search/resume") {
		t.Error("somebody was shown what another may do")
	}
	asked(2, "another person")
	as(reader, "/experiments/new-search?iteration=1")
	asked(3, "another address")
	for range 2 {
		if got := as(reader, "/experiments/nothing"); got.Code != http.StatusNotFound || got.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("status %d", got.Code)
		}
	}
	asked(5, "what is not there")
	w.now = w.now.Add(fresh)
	as(reader, "/experiments/new-search")
	asked(6, "a second later")
}

// TestHostileNames: what a producer or a file says is text.
func TestHostileNames(t *testing.T) {
	const hostile = `<img src=x onerror=alert(1)>"'&`
	w := newWorld(t)
	for _, key := range []string{"checkout-button", "new-search"} {
		d := w.details[key]
		e := *d.Experiment
		doc := *d.Document
		e.Hypothesis, e.Owner, d.Row.Owner, d.Row.Objective, d.Row.Text, d.Box.Text = hostile, hostile, hostile, hostile, hostile, hostile
		doc.Comparisons = append(doc.Comparisons[:0:0], doc.Comparisons...)
		doc.Comparisons[0].Metric, doc.Control = hostile, hostile
		doc.Verdicts = append(doc.Verdicts[:0:0], doc.Verdicts...)
		doc.Verdicts[0].Text, doc.Verdicts[0].Metric = hostile, hostile
		d.Experiment, d.Document = &e, &doc
		d.Row.Key = hostile
		w.details[key] = d
	}
	for i := range w.log {
		w.log[i].Text, w.log[i].Actor, w.log[i].Experiment = hostile, hostile, hostile
	}
	w.past.Verdicts[0].Verdict = hostile
	w.health.Gaps = []catalog.Gap{{Text: hostile}}
	w.health.Judge()
	h := w.mux(access.Principal{Name: hostile, Role: access.Operator, Login: "session"})
	for _, address := range append(addresses, "/?q="+url.QueryEscape(hostile), "/planner?mean="+url.QueryEscape(hostile), "/decisions?q="+url.QueryEscape(hostile), "/experiments/"+url.PathEscape(hostile)) {
		body := get(h, address).Body.String()
		if strings.Contains(body, "<img") || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: %q is not escaped", address, hostile)
		}
	}
}

// TestNothingYet: without looks, decisions, experiments and consumers there are pages.
func TestNothingYet(t *testing.T) {
	w := newWorld(t)
	d := w.details["onboarding"]
	w.put(d.Experiment, nil)
	w.past = Past{}
	w.health = catalog.Health{}
	w.health.Judge()
	h := w.mux(reader)
	for address, want := range map[string]string{
		"/experiments/onboarding": "Nobody has looked at this iteration yet", "/data": "No consumer has reported yet", "/": "nobody reads the topics",
		"/planner?from=onboarding": "there are no variances to plan with",
	} {
		if got := get(h, address); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s: status %d, want %q", address, got.Code, want)
		}
	}
	clear(w.details)
	if body := get(h, "/").Body.String(); !strings.Contains(body, "No experiment is configured") {
		t.Error("an empty list says nothing")
	}
}

// TestRampSection: the page of an experiment with a ramp shows its steps, where it is and
// why, and offers what makes sense now to who may.
func TestRampSection(t *testing.T) {
	w := newWorld(t)
	d := w.details["checkout-button"]
	document := *d.Document
	document.Ramp = &results.Ramp{State: "held", Reason: "approval", Text: "every guardrail is healthy; step 3 waits", Step: 2, Traffic: .1, Since: w.now, Units: 612, OnBreach: "hold",
		Steps: []results.RampStep{{Traffic: .01, For: "1h", Units: 500, Began: w.now.Add(-time.Hour)}, {Traffic: .1, Approval: true, Began: w.now, Decision: 7}, {Traffic: .5}}}
	d.Document = &document
	w.details["checkout-button"] = d
	offers := func(h http.Handler) (out []string) {
		body := get(h, "/experiments/checkout-button").Body.String()
		for _, text := range []string{"held", "every guardrail is healthy; step 3 waits", "in force", "612 of 2", "decision 7"} {
			if !strings.Contains(body, text) {
				t.Errorf("the page does not say %q", text)
			}
		}
		for _, act := range []string{"approve", "resume", "pause", "revert"} {
			if strings.Contains(body, "/experiments/checkout-button/ramp/"+act+`"`) {
				out = append(out, act)
			}
		}
		return out
	}
	if got := offers(w.mux(operator)); !slices.Equal(got, []string{"approve", "pause", "revert"}) {
		t.Errorf("an operator is offered %v", got)
	}
	if got := offers(w.mux(reader)); len(got) > 0 {
		t.Errorf("a reader is offered %v", got)
	}
}

// TestNotThere: what is not there is 404 with a page, and a fault of ours is 500 without
// its cause.
func TestNotThere(t *testing.T) {
	w := newWorld(t)
	h := w.mux(reader)
	for _, address := range []string{"/experiments/nothing", "/experiments/checkout-button?iteration=7", "/experiments/checkout-button?iteration=x", "/experiments/nothing/kill", "/experiments/nothing/privacy", "/experiments/nothing/readiness", "/experiments/nothing/writeup", "/experiments/nothing/writeup.md"} {
		if got := get(h, address); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "<h1>Not Found</h1>") || got.Header().Get("ETag") != "" {
			t.Errorf("%s: status %d", address, got.Code)
		}
	}
	if got := get(h, "/assets/app.css"); got.Code != http.StatusNotFound {
		t.Errorf("an asset without its hash: status %d", got.Code)
	}
}

// send fills a form in.
func send(h http.Handler, address string, v url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestActs: what a form says reaches the hand, with who, the iteration that was seen
// and the reason in one line; the answer says what came of it.
func TestActs(t *testing.T) {
	for _, c := range []struct {
		address string
		form    url.Values
		did     string
		says    string
	}{
		{"/experiments/checkout-button/kill", url.Values{"reason": {"support is\r\nflooded"}, "iteration": {"1"}}, "ada: kill checkout-button/1  because support is flooded", "the switch was read back"},
		{"/experiments/checkout-button/kill", url.Values{"reason": {"slow"}, "arm": {"treatment"}, "iteration": {"1"}}, "ada: kill checkout-button/1 treatment because slow", "Arm treatment of checkout-button is off"},
		{"/experiments/checkout-button/drill", url.Values{"reason": {"monthly"}, "iteration": {"1"}}, "ada: drill checkout-button/1  because monthly", "Nothing was turned off"},
		{"/experiments/checkout-button/drill", url.Values{"reason": {"monthly"}, "arm": {"treatment"}}, "ada: drill checkout-button/0 treatment because monthly", "flags.example.com"},
		{"/experiments/new-search/resume", url.Values{"reason": {"mended"}, "rearm": {"5 %"}}, "ada: resume new-search/0 0.05 because mended", "Iteration 1 of new-search runs"},
		{"/experiments/new-search/resume", url.Values{"reason": {"mended"}}, "ada: resume new-search/0 0 because mended", "runs from now on"},
		{"/experiments/checkout-button/snooze", url.Values{"reason": {"a sale"}, "hours": {"2.5"}}, "ada: snooze checkout-button/0 2h30m0s because a sale", "wait until 2026-11-29 00:38:40 UTC"},
		{"/experiments/checkout-button/snooze", url.Values{"reason": {"over"}, "hours": {"0"}}, "ada: snooze checkout-button/0 0s because over", "go ahead again"},
		{"/stop", url.Values{"reason": {"a bad deploy"}, "hours": {"1"}}, "ada: snooze /0 1h0m0s because a bad deploy", "wait until"},
		{"/experiments/checkout-button/ramp/approve", url.Values{"reason": {"looks well"}, "iteration": {"1"}}, "ada: approve the ramp checkout-button/1  because looks well", "Step 2, 10 %, is approved"},
		{"/experiments/checkout-button/ramp/pause", url.Values{"reason": {"lunch"}}, "ada: pause the ramp checkout-button/0  because lunch", "is held at step 2"},
		{"/experiments/checkout-button/ramp/resume", url.Values{"reason": {"back"}}, "ada: resume the ramp checkout-button/0  because back", "goes on from step 2"},
		{"/experiments/checkout-button/ramp/revert", url.Values{"reason": {"enough"}}, "ada: revert the ramp checkout-button/0  because enough", "read back as 0 %"},
		{"/experiments/onboarding/annotate", url.Values{"reason": {"a campaign\nbegan"}, "iteration": {"1"}}, "ada: note onboarding/1  because a campaign began", "The note is line 41"},
		{"/experiments/price-badge/acknowledge", url.Values{"reason": {"a bot"}, "phase": {"1"}}, "ada: acknowledge price-badge/0 1 because a bot", "The split of phase 1 is acknowledged"},
	} {
		w := newWorld(t)
		got := send(w.mux(operator), c.address, c.form)
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), c.says) || len(w.acted) != 1 || w.acted[0] != c.did {
			t.Errorf("%s: status %d, did %q, want %q and %q", c.address, got.Code, w.acted, c.did, c.says)
		}
	}
}

// TestActsRefused: a no has its status, says why, and keeps what was filled in.
func TestActsRefused(t *testing.T) {
	no := func(code acts.Code) error { return &acts.Error{Code: code, Err: errors.New("it is not so")} }
	for _, c := range []struct {
		address string
		form    url.Values
		err     error
		status  int
	}{
		{"/experiments/checkout-button/kill", url.Values{"reason": {"my reason"}}, no(acts.Forbidden), http.StatusForbidden},
		{"/experiments/checkout-button/kill", url.Values{"reason": {"my reason"}}, no(acts.Stale), http.StatusConflict},
		{"/experiments/checkout-button/kill", url.Values{"reason": {"my reason"}}, errors.New("it is not so"), http.StatusServiceUnavailable},
		{"/experiments/checkout-button/snooze", url.Values{"reason": {"my reason"}, "hours": {"169"}}, nil, http.StatusUnprocessableEntity},
		{"/experiments/checkout-button/snooze", url.Values{"reason": {"my reason"}, "hours": {"NaN"}}, nil, http.StatusUnprocessableEntity},
		{"/experiments/new-search/resume", url.Values{"reason": {"my reason"}, "rearm": {"50"}}, nil, http.StatusUnprocessableEntity},
		{"/experiments/price-badge/acknowledge", url.Values{"reason": {"my reason"}, "phase": {""}}, nil, http.StatusUnprocessableEntity},
	} {
		w := newWorld(t)
		w.fails = c.err
		got := send(w.mux(operator), c.address, c.form)
		body := got.Body.String()
		if got.Code != c.status || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "my reason</textarea>") || strings.Contains(body, ">Done<") {
			t.Errorf("%s %v: status %d, want %d:\n%s", c.address, c.form, got.Code, c.status, body)
		}
		if c.err == nil && len(w.acted) > 0 {
			t.Errorf("%s %v: %q was done", c.address, c.form, w.acted)
		}
	}
}

// TestWhoSeesWhat: buttons are for those who may, of experiments that they may act on.
func TestWhoSeesWhat(t *testing.T) {
	w := newWorld(t)
	owner := access.Principal{Name: "eve", Role: access.Owner, Groups: []string{"growth"}, Login: "session"}
	for _, c := range []struct {
		who      access.Principal
		address  string
		has, not string
	}{
		{reader, "/experiments/checkout-button", "Log in to act", `data-dialog href`},
		{operator, "/experiments/checkout-button", "/checkout-button/kill", "/resume"},
		{operator, "/experiments/new-search", "/new-search/resume", "/kill"},
		{operator, "/experiments/price-badge", "/price-badge/acknowledge", "/resume"},
		{owner, "/experiments/checkout-button", "/checkout-button/kill", "Log in to act"},
		{owner, "/experiments/price-badge", "Metrics against", `data-dialog href`},
		{operator, "/decisions", `href="/stop"`, "Nothing has been decided"},
		{owner, "/decisions", "Head", `href="/stop"`},
		{reader, "/experiments/checkout-button/kill", "This needs the experiment&#39;s owner", "<form"},
	} {
		body := get(w.mux(c.who), c.address).Body.String()
		if !strings.Contains(body, c.has) || strings.Contains(body, c.not) {
			t.Errorf("%s as %q: want %q and not %q", c.address, c.who.Name, c.has, c.not)
		}
	}
}

// TestExplain: a unit is sent in a form's body, and what became of its events is shown.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	got := send(w.mux(operator), "/explain", url.Values{"experiment": {"new-search"}, "unit": {" u-7 "}})
	body := got.Body.String()
	for _, want := range []string{"u-7 in new-search", "2 events</", "first exposure", "conversion, revenue", "within the window"} {
		if !strings.Contains(strings.Replace(body, "2 events stored", "2 events</", 1), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if len(w.saw) != 1 || w.saw[0] != "new-search u-7" {
		t.Errorf("asked for %q", w.saw)
	}
	if got := get(w.mux(operator), "/explain?unit=u-9&experiment=new-search"); strings.Contains(got.Body.String(), `value="u-9"`) {
		t.Error("a unit is taken from the address")
	}
	for _, v := range []url.Values{{"experiment": {"new-search"}}, {"unit": {"u-7"}, "experiment": {"other"}}} {
		if got := send(w.mux(operator), "/explain", v); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), `role="alert"`) {
			t.Errorf("%v: status %d", v, got.Code)
		}
	}
	if len(w.saw) != 1 {
		t.Errorf("asked for %q", w.saw)
	}
}

// TestExplainErased: of a unit that is erased the page says so, and not that it is unknown.
func TestExplainErased(t *testing.T) {
	w := newWorld(t)
	w.erased = true
	body := send(w.mux(operator), "/explain", url.Values{"experiment": {"new-search"}, "unit": {"u-7"}}).Body.String()
	if !strings.Contains(body, "The unit is erased: request 17") || strings.Contains(body, "No event of this unit") || strings.Contains(body, "1 event stored") {
		t.Error(body)
	}
}

// TestExplainIsForReaders: the experiment stands in no path here, so the page itself asks
// who may see its units, and a refusal is written down without the unit.
func TestExplainIsForReaders(t *testing.T) {
	w := newWorld(t)
	closed := *w.details["new-search"].Experiment
	closed.Owner, closed.Readers = "growth", []string{"eng"}
	d := w.details["new-search"]
	d.Experiment, d.Row.Owner = &closed, closed.Owner
	w.details["new-search"] = d
	ask := func(who access.Principal) *httptest.ResponseRecorder {
		return send(w.mux(who), "/explain", url.Values{"experiment": {"new-search"}, "unit": {"u-7"}})
	}
	for name, c := range map[string]struct {
		who    access.Principal
		status int
	}{
		"an operator": {operator, http.StatusForbidden}, "nobody, on loopback": {reader, http.StatusForbidden},
		"a reader":  {access.Principal{Name: "bob", Role: access.Analyst, Groups: []string{"eng"}, Login: "session"}, http.StatusOK},
		"its owner": {access.Principal{Name: "growth", Role: access.Owner, Login: "session"}, http.StatusOK},
		"a viewer":  {access.Principal{Name: "eng", Role: access.Viewer, Login: "session"}, http.StatusForbidden},
	} {
		w.saw = nil
		got := ask(c.who)
		if got.Code != c.status || (len(w.saw) > 0) != (c.status == http.StatusOK) {
			t.Errorf("%s: status %d, asked for %q", name, got.Code, w.saw)
		}
		if c.status == http.StatusForbidden && !strings.Contains(got.Body.String(), "for its owner and its readers") {
			t.Errorf("%s is not told why", name)
		}
	}
	if log := w.told.String(); !strings.Contains(log, "action=explain experiment=new-search actor=ada role=operator") || strings.Contains(log, "u-7") {
		t.Errorf("the log: %s", log)
	}
	for who, may := range map[*access.Principal]bool{&operator: false, {Name: "growth", Role: access.Owner, Login: "session"}: true} {
		if body := get(w.mux(*who), "/experiments/new-search/analyze").Body.String(); strings.Contains(body, "<form class") != may {
			t.Errorf("%s is offered an analysis: %v", who.Name, !may)
		}
	}
}

// TestPlanner: sizes are those of the planning package, and what cannot be is refused in
// words.
func TestPlanner(t *testing.T) {
	h := newWorld(t).mux(reader)
	body := strings.ReplaceAll(get(h, "/planner?kind=share&mean=10&lift=10&power=80&per_day=1000&days=7&treated=50").Body.String(), "\u202f", " ")
	for _, want := range []string{"29 502", "37 days"} { // 29501.6 units and 29.5 + 7 days, by hand in package planning's tests
		if !strings.Contains(body, want) {
			t.Errorf("the plan does not say %q", want)
		}
	}
	for address, want := range map[string]string{
		"/planner?mean=0":                      "share of units is a percentage",
		"/planner?mean=4&lift=x":               "effect to be found is a percentage",
		"/planner?mean=4&power=100":            "chance to find it is a percentage",
		"/planner?kind=mean&mean=20":           "standard deviation is a number above 0",
		"/planner?kind=mean&mean=0&sd=1":       "mean is a number other than 0",
		"/planner?mean=4&looks=51":             "number from 1 to 50",
		"/planner?mean=4&treated=100":          "part of the units is a percentage",
		"/planner?mean=4&per_day=-1":           "New units a day",
		"/planner?mean=4&days=abc":             "The window is",
		"/planner?kind=mean&mean=Inf&sd=2":     "mean is a number other than 0",
		"/planner?from=checkout-button&lift=5": "conversion",
	} {
		if body := get(h, address).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s does not say %q", address, want)
		}
	}
	w := newWorld(t)
	w.late = planning.ErrLate
	for _, address := range []string{"/planner?mean=4", "/planner?from=checkout-button"} {
		if body := get(w.mux(reader), address).Body.String(); !strings.Contains(body, "That takes too long") {
			t.Errorf("%s does not say that it takes too long", address)
		}
	}
}

// TestLogFilters: the log is narrowed by experiment, person, kind and text, and turned
// over page by page, each line once.
func TestLogFilters(t *testing.T) {
	w := newWorld(t)
	for q, want := range map[logQuery]int{
		{}: 7, {Experiment: "price-badge"}: 1, {What: "kills"}: 6, {What: "split"}: 1, {What: "people"}: 0, {Actor: "guard@vm"}: 7, {Actor: "nobody"}: 0,
		{Text: "READ BACK"}: 1, {Text: "ff2145a18eae"}: 1,
	} {
		if got := logOf(w.log, "head", q); got.Of != want || len(got.Lines) != want {
			t.Errorf("%+v: %d lines, want %d", q, got.Of, want)
		}
	}
	var many []guardrails.Entry
	for i := range 2*linesOnPage + 50 {
		many = append(many, guardrails.Entry{Seq: uint64(i + 1), Kind: guardrails.Snoozed, Actor: "ada"})
	}
	seen, pages, q := map[uint64]bool{}, 0, logQuery{}
	for {
		page := logOf(many, "head", q)
		pages++
		for _, e := range page.Lines {
			if seen[e.Seq] {
				t.Fatalf("line %d comes twice", e.Seq)
			}
			seen[e.Seq] = true
		}
		if page.More == "" {
			break
		}
		u, err := url.Parse(page.More)
		if err != nil {
			t.Fatal(err)
		}
		q.Before = u.Query().Get("before")
	}
	if len(seen) != len(many) || pages != 3 {
		t.Errorf("%d of %d lines on %d pages", len(seen), len(many), pages)
	}
}

// TestList: views count and choose, whatever the search; pages go on where they ended.
func TestList(t *testing.T) {
	w := newWorld(t)
	rows, _ := w.Rows(t.Context())
	numbers := func(q listQuery) (out []int) {
		for _, v := range list(rows, q).Views {
			out = append(out, v.Number)
		}
		return out
	}
	if got := numbers(listQuery{}); got[0] != 4 || got[1] != 2 || got[2] != 3 || got[4] != 1 {
		t.Errorf("numbers %v", got)
	}
	if got := list(rows, listQuery{View: "attention"}); got.Of != 2 || got.Rows[0].Key != "price-badge" || got.Rows[1].Key != "onboarding" {
		t.Errorf("%d need somebody, the first is %s", got.Of, got.Rows[0].Key)
	}
	if got := list(rows, listQuery{Text: "RANKING"}); got.Of != 1 || got.Rows[0].Key != "new-search" || got.All != 4 {
		t.Errorf("%d found by their hypothesis", got.Of)
	}
	var many []catalog.Row
	for i := range 2*rowsOnPage + 1 {
		many = append(many, catalog.Row{Key: "e" + decimal(uint64(1000+i)), State: catalog.Running, Health: catalog.Unproven})
	}
	seen, q := 0, listQuery{View: "running"}
	for {
		page := list(many, q)
		seen += len(page.Rows)
		if page.More == "" {
			break
		}
		u, err := url.Parse(page.More)
		if err != nil {
			t.Fatal(err)
		}
		q = readListQuery(u.Query())
	}
	if seen != len(many) {
		t.Errorf("%d of %d rows over all pages", seen, len(many))
	}
}

// TestChanges: what waits is shown to everybody; who may approve has a form, who wants it
// or may not has none; sending it reaches the hand with the hash that was seen.
func TestChanges(t *testing.T) {
	w := newWorld(t)
	step := governance.Step{Experiment: "checkout-cta", Hash: strings.Repeat("ab", 32), Needs: 2, Change: governance.Change{
		Experiment: "checkout-cta", Class: governance.Grow, Reasons: []governance.Reason{{Class: governance.Grow, Text: "iteration 1: traffic <10%> → 50%"}}}}
	evidence, err := json.Marshal(step)
	if err != nil {
		t.Fatal(err)
	}
	line := func(kind guardrails.EntryKind, actor, text string) {
		w.log = append(w.log, guardrails.Entry{Seq: uint64(len(w.log) + 1), At: w.now, Kind: kind, Experiment: "checkout-cta", Change: step.Hash, Actor: actor, Text: text, Evidence: evidence})
	}
	line(guardrails.ChangeProposed, "bob", "it waits")
	line(guardrails.ChangeApproved, "carol", "looks fine")
	person := func(name string, role access.Role) access.Principal {
		return access.Principal{Name: name, Role: role, Login: "token"}
	}
	for _, c := range []struct {
		who        access.Principal
		has, lacks string
	}{
		{person("vi", access.Viewer), "To approve needs role approver", "<form method"},
		{person("dan", access.Approver), ">Approve</button>", "take my approval"},
		{person("bob", access.Admin), "somebody else approves it", "<form method"},
		{person("carol", access.Approver), "Take my approval back", ">Approve</button>"},
	} {
		text := get(w.mux(c.who), "/changes").Body.String()
		for _, want := range []string{"1 of 2 approvals", "traffic &lt;10%&gt; → 50%", "approved by carol", step.Hash, c.has} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not see %q", c.who.Name, want)
			}
		}
		if strings.Contains(text, c.lacks) {
			t.Errorf("%s sees %q", c.who.Name, c.lacks)
		}
	}
	dan := w.mux(person("dan", access.Approver))
	text := send(dan, "/changes/checkout-cta", url.Values{"reason": {"fine"}, "hash": {step.Hash}}).Body.String()
	if want := "dan: approve checkout-cta/0 abab, withdraw false because fine"; !strings.Contains(text, "You have approved") || len(w.acted) != 1 || w.acted[0] != want {
		t.Errorf("%q, want %q", w.acted, want)
	}
	if got := send(dan, "/changes/checkout-cta", url.Values{"reason": {"fine"}}); got.Code != http.StatusBadRequest || len(w.acted) != 1 {
		t.Errorf("a form without a hash: %d, did %q", got.Code, w.acted)
	}
	w.fails = &acts.Error{Code: acts.Forbidden, Err: errors.New("who wants a change does not approve it")}
	got := send(w.mux(person("bob", access.Approver)), "/changes/checkout-cta", url.Values{"reason": {"fine"}, "hash": {step.Hash}})
	if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "Who wants a change does not approve it.") {
		t.Errorf("the refusal is not told: %d", got.Code)
	}
}

// TestReminders: what is due stands in the list and on the page, with what to do.
func TestReminders(t *testing.T) {
	w := newWorld(t)
	d := w.details["price-badge"]
	d.Row.Due = []governance.Due{{What: governance.Review, Since: w.now.Add(-time.Hour), Text: "its review of Monday is due", Do: "write a <note>"}}
	w.details["price-badge"] = d
	h := w.mux(reader)
	if list := get(h, "/").Body.String(); !strings.Contains(list, "its review of Monday is due") {
		t.Error("the list does not say it")
	}
	page := get(h, "/experiments/price-badge").Body.String()
	for _, want := range []string{`id="reminders"`, "<b>its review of Monday is due</b>", "write a &lt;note&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if other := get(h, "/experiments/new-search").Body.String(); strings.Contains(other, `id="reminders"`) {
		t.Error("nothing is due there")
	}
}

// TestWriteupMarkdown: the write-up can be kept as a document, and is no page.
func TestWriteupMarkdown(t *testing.T) {
	got := get(newWorld(t).mux(reader), "/experiments/checkout-button/writeup.md")
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.HasPrefix(got.Body.String(), "# checkout-button\n") || strings.Contains(got.Body.String(), "<small>") {
		t.Errorf("%d %v\n%s", got.Code, got.Header(), got.Body)
	}
}

// TestReadinessOfWhatIsToBegin: the page of an experiment that is planned brings its
// readiness with it, that of one that runs has the link alone.
func TestReadinessOfWhatIsToBegin(t *testing.T) {
	w := newWorld(t)
	d := w.details["price-badge"]
	d.Row.State = catalog.Scheduled
	w.details["price-badge"] = d
	h := w.mux(reader)
	if body := get(h, "/experiments/price-badge").Body.String(); !strings.Contains(body, `hx-get="/experiments/price-badge/readiness"`) {
		t.Error("it does not")
	}
	if body := get(h, "/experiments/checkout-button").Body.String(); strings.Contains(body, "hx-select=\"#ready\"") || !strings.Contains(body, `href="/experiments/checkout-button/readiness"`) {
		t.Error("one that runs does")
	}
}
