package door

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access"
)

// kept are the tokens in force.
type kept map[access.Hash]access.Token

func (k kept) Find(h access.Hash) (access.Token, bool) { t, ok := k[h]; return t, ok }

// teams own experiments.
type teams map[string]string

func (o teams) Owner(_ context.Context, key string) (string, error) {
	if key == "unreadable" {
		return "", errors.New("no route to host")
	}
	return o[key], nil
}

func (o teams) Readers(_ context.Context, key string) ([]string, error) {
	if key == "closed" {
		return []string{"eng"}, nil
	}
	return nil, nil
}

// jwts believes what begins so.
type jwts struct{}

func (jwts) Verify(_ context.Context, raw string) (access.Principal, time.Time, error) {
	if name, ok := strings.CutPrefix(raw, "jwt-of-"); ok {
		return access.Principal{Name: name, Role: access.Owner, Groups: []string{"eng"}, Login: "jwt"}, start.Add(time.Hour), nil
	}
	return access.Principal{}, time.Time{}, errors.New("not signed")
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// site is a door with a few routes behind it.
type site struct {
	t       *testing.T
	door    *Door
	handler http.Handler
	tokens  kept
	metrics *prometheus.Registry
	log     bytes.Buffer
	now     time.Time
	seen    access.Principal
}

func newSite(t *testing.T, change func(*Config)) *site {
	t.Helper()
	s := &site{t: t, tokens: kept{}, metrics: prometheus.NewRegistry(), now: start}
	cfg := Config{
		Login: true, Session: 12 * time.Hour, Tokens: s.tokens, JWT: jwts{}, Hosts: []string{"assay.example.com"},
		Owners: access.Owners{"growth": {"eng"}}, Experiments: teams{"checkout": "growth", "cart": "carts", "closed": "growth"},
		Metrics: s.metrics, Log: slog.New(slog.NewTextHandler(&s.log, nil)), Now: func() time.Time { return s.now },
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if s.door, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	pages, err := s.door.Routes()
	if err != nil {
		t.Fatal(err)
	}
	seen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.seen = access.From(r.Context())
		w.WriteHeader(http.StatusNoContent)
	})
	for pattern := range access.Rules() {
		if pages[pattern] == nil {
			pages[pattern] = seen
		}
	}
	pages["GET /nobody/knows"] = seen
	mux := http.NewServeMux()
	for pattern, h := range pages {
		mux.Handle(pattern, s.door.Route(pattern, h))
	}
	s.handler = s.door.Around(mux)
	return s
}

// token makes one that is in force for an hour.
func (s *site) token(name string, role access.Role, only ...string) string {
	s.t.Helper()
	secret, t, err := access.Order{Name: name, Role: role, Experiments: only, For: time.Hour}.Make(rand.Reader, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tokens[t.Hash] = t
	return secret
}

// counted is how many requests were refused for a reason.
func (s *site) counted(why string) float64 {
	s.t.Helper()
	all, err := s.metrics.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range all {
		for _, m := range f.GetMetric() {
			if f.GetName() == "assay_door_refused_total" && m.GetLabel()[0].GetValue() == why {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

type option func(*http.Request)

func header(name, value string) option { return func(r *http.Request) { r.Header.Set(name, value) } }
func bearer(token string) option       { return header("Authorization", "Bearer "+token) }
func host(name string) option          { return func(r *http.Request) { r.Host = name } }
func from(addr string) option          { return func(r *http.Request) { r.RemoteAddr = addr + ":1234" } }

func form(values ...string) option {
	return func(r *http.Request) {
		v := url.Values{}
		for i := 0; i < len(values); i += 2 {
			v.Set(values[i], values[i+1])
		}
		other := httptest.NewRequest(r.Method, "/", strings.NewReader(v.Encode()))
		r.Body, r.ContentLength = other.Body, other.ContentLength
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}

func (s *site) ask(method, path string, options ...option) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, http.NoBody)
	r.Host = "127.0.0.1:8344"
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	s.seen = access.Principal{}
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *site) want(what string, w *httptest.ResponseRecorder, status int) {
	s.t.Helper()
	if w.Code != status {
		s.t.Errorf("%s: %d, want %d: %s", what, w.Code, status, w.Body)
	}
	if status < 400 {
		return
	}
	var p struct {
		Title  string
		Status int
		Detail string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != status || p.Detail == "" || p.Title == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		s.t.Errorf("%s: no problem+json: %v, %s", what, err, w.Body)
	}
}

const kill = "/api/v1/experiments/checkout/kill"

func TestHosts(t *testing.T) {
	s := newSite(t, nil)
	local := func(ip string) option {
		return func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(ip), Port: 8344}))
		}
	}
	for name, ok := range map[string]bool{
		"localhost": true, "localhost:9": true, "LOCALHOST:8344": true, "127.0.0.1": true, "[::1]:8344": true, "127.9.9.9:1": true,
		"assay.example.com": true, "Assay.Example.Com:443": true, "10.1.2.3:8344": true, "[::ffff:10.1.2.3]:8344": true,
		"evil.example.com": false, "evil.example.com:8344": false, "10.1.2.4": false, "": false, "localhost.evil.example.com": false,
		"assay.example.com.evil.example": false, "127.0.0.1.evil.example": false, "0.0.0.0": false, "169.254.169.254": false,
	} {
		for _, path := range []string{"/healthz", "/no/such/page"} {
			w := s.ask("GET", path, host(name), local("10.1.2.3"))
			if (w.Code != http.StatusMisdirectedRequest) != ok {
				t.Errorf("host %q, %s: %d, want it let in: %v", name, path, w.Code, ok)
			}
		}
	}
}

// TestOrigins: nothing that writes is taken from a page of somebody else, whatever
// credentials come along, and a browser with a cookie says where it comes from.
func TestOrigins(t *testing.T) {
	s := newSite(t, nil)
	token := s.token("ada", access.Operator)
	cookie := s.login(token)
	for _, c := range []struct {
		what    string
		ok      bool
		options []option
	}{
		{"no browser", true, []option{bearer(token)}},
		{"another site's page", false, []option{bearer(token), header("Sec-Fetch-Site", "cross-site")}},
		{"a sibling", false, []option{bearer(token), header("Sec-Fetch-Site", "same-site")}},
		{"our page", true, []option{cookie, header("Sec-Fetch-Site", "same-origin")}},
		{"an older browser, another site", false, []option{cookie, header("Origin", "https://evil.example.com")}},
		{"an older browser, another port", false, []option{cookie, header("Origin", "http://127.0.0.1:9")}},
		{"an older browser, a sandbox", false, []option{cookie, header("Origin", "null")}},
		{"an older browser, our page", true, []option{cookie, header("Origin", "http://127.0.0.1:8344")}},
		{"a cookie from nowhere", false, []option{cookie}},
		{"another site's page with our cookie", false, []option{cookie, header("Sec-Fetch-Site", "cross-site")}},
	} {
		w := s.ask("POST", kill, c.options...)
		if c.ok {
			s.want(c.what, w, http.StatusNoContent)
		} else {
			s.want(c.what, w, http.StatusForbidden)
		}
	}
	s.want("another site's page logs in", s.ask("POST", "/login", form("token", token), header("Sec-Fetch-Site", "cross-site")), http.StatusForbidden)
}

// login gives the cookie of a session.
func (s *site) login(token string) option {
	s.t.Helper()
	w := s.ask("POST", "/login", form("token", token), header("Sec-Fetch-Site", "same-origin"))
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		s.t.Fatalf("login: %d %s", w.Code, w.Body)
	}
	c := w.Result().Cookies()[0]
	return func(r *http.Request) { r.AddCookie(c) }
}

// TestLoopbackWithoutLogin: everybody reads; what writes asks for the token of the
// terminal.
func TestLoopbackWithoutLogin(t *testing.T) {
	secret, err := access.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *Config) {
		c.Login, c.JWT = false, nil
		c.Terminal = &Terminal{access.HashOf(secret), "ada"}
	})
	s.want("metrics", s.ask("GET", "/metrics"), http.StatusNoContent)
	s.want("reports", s.ask("GET", "/reports/"), http.StatusNoContent)
	s.want("a write", s.ask("POST", kill), http.StatusUnauthorized)
	s.want("a write of our page without login", s.ask("POST", kill, header("Sec-Fetch-Site", "same-origin")), http.StatusUnauthorized)
	s.want("tokens", s.ask("GET", "/api/v1/tokens"), http.StatusForbidden)
	s.want("a long question", s.ask("POST", "/api/v1/power"), http.StatusNoContent)
	s.want("a long question of another site's page", s.ask("POST", "/api/v1/power", header("Sec-Fetch-Site", "cross-site")), http.StatusForbidden)
	s.want("a wrong token", s.ask("GET", "/reports/", bearer("assay_x")), http.StatusUnauthorized)
	s.want("the terminal's token", s.ask("POST", kill, bearer(secret)), http.StatusNoContent)
	if s.seen.Name != "ada" || s.seen.Role != access.Admin || s.seen.Login != "terminal" {
		t.Errorf("it is %+v", s.seen)
	}
	s.want("its session", s.ask("POST", kill, s.login(secret), header("Sec-Fetch-Site", "same-origin")), http.StatusNoContent)
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has the token")
	}
}

// TestSession: a cookie that scripts and other sites do not get, which ends with the
// logout, with its time, with its token, and with the token's time.
func TestSession(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Secure = true })
	token := s.token("ada", access.Operator)
	w := s.ask("POST", "/login", form("token", token, "next", "/experiments/checkout?a=b"))
	if loc := w.Header().Get("Location"); w.Code != http.StatusSeeOther || loc != "/experiments/checkout?a=b" {
		t.Fatalf("%d to %q", w.Code, loc)
	}
	c := w.Result().Cookies()[0]
	if c.Name != "__Host-assay_session" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" ||
		!c.Expires.Equal(start.Add(time.Hour)) || strings.Contains(c.Value, token) || len(c.Value) < 43 {
		t.Errorf("cookie %+v", c)
	}
	read := func(what string, status int, o ...option) {
		t.Helper()
		s.want(what, s.ask("GET", "/reports/", o...), status)
	}
	same := header("Sec-Fetch-Site", "same-origin")
	ada := s.login(token)
	read("in", http.StatusNoContent, ada)
	if s.seen.Name != "ada" || s.seen.Login != "session" {
		t.Errorf("it is %+v", s.seen)
	}
	read("made up", http.StatusUnauthorized, header("Cookie", "__Host-assay_session=assay_made-up"))
	read("the token for a cookie", http.StatusUnauthorized, header("Cookie", "__Host-assay_session="+token))
	out := s.ask("POST", "/logout", ada, same)
	if c := out.Result().Cookies()[0]; out.Code != http.StatusSeeOther || c.Value != "" || !c.Expires.Before(start) {
		t.Errorf("logout: %d, %+v", out.Code, c)
	}
	read("logged out", http.StatusUnauthorized, ada)

	ada, bob := s.login(token), s.login("jwt-of-bob")
	s.tokens[access.HashOf(token)] = func(t access.Token) access.Token { t.Role = access.Viewer; return t }(s.tokens[access.HashOf(token)])
	s.want("less may be done with the token", s.ask("POST", kill, ada, same), http.StatusForbidden)
	delete(s.tokens, access.HashOf(token))
	read("revoked", http.StatusUnauthorized, ada)
	read("a JWT's", http.StatusNoContent, bob)
	s.now = start.Add(time.Hour)
	read("a JWT's, expired", http.StatusUnauthorized, bob)
}

func TestSessionsAreBounded(t *testing.T) {
	now := start
	s := newSessions(time.Hour, func() time.Time { return now })
	first, _, err := s.begin(access.Principal{Name: "first"}, access.Hash{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for range mostSessions {
		now = now.Add(time.Millisecond)
		if _, _, err := s.begin(access.Principal{}, access.Hash{}, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.find(first); ok || len(s.all) != mostSessions {
		t.Errorf("%d sessions, the first is there: %v", len(s.all), ok)
	}
	now = now.Add(time.Hour)
	if _, _, err := s.begin(access.Principal{}, access.Hash{}, time.Time{}); err != nil || len(s.all) != 1 {
		t.Errorf("%d sessions after an hour, %v", len(s.all), err)
	}
}

// TestLoginPage: a person is led to it and back, not elsewhere, and what they typed is
// not shown again.
func TestLoginPage(t *testing.T) {
	s := newSite(t, nil)
	html := header("Accept", "text/html,application/xhtml+xml")
	w := s.ask("GET", "/reports/day.html?x=1&y=2", html)
	if want := "/login?next=%2Freports%2Fday.html%3Fx%3D1%26y%3D2"; w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
		t.Errorf("%d to %s, want %s", w.Code, w.Header().Get("Location"), want)
	}
	page := s.ask("GET", "/login?next=%2Freports%2F%22%3E%3Cscript%3E", html).Body.String()
	if !strings.Contains(page, `value="/reports/&#34;&gt;&lt;script&gt;"`) || strings.Contains(page, "style=") || strings.Contains(page, "<script>") {
		t.Errorf("the page: %s", page)
	}
	for _, next := range []string{"//evil.example.com", "https://evil.example.com", `/\evil.example.com`, "", "javascript:alert(1)", "/a\nb"} {
		w := s.ask("POST", "/login", form("token", s.token("ada", access.Viewer), "next", next))
		if w.Header().Get("Location") != "/" {
			t.Errorf("next %q leads to %q", next, w.Header().Get("Location"))
		}
	}
	w = s.ask("POST", "/login", html, form("token", "assay_wrong-token", "next", "/reports/"))
	if w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "wrong-token") || !strings.Contains(w.Body.String(), `role="alert"`) ||
		!strings.Contains(w.Body.String(), `value="/reports/"`) || len(w.Result().Cookies()) != 0 {
		t.Errorf("a wrong token: %d %s", w.Code, w.Body)
	}
	for path, kind := range map[string]string{"/login/login.js": "text/javascript", "/login/login.css": "text/css"} {
		if w := s.ask("GET", path); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if w := s.ask("GET", "/login/login.html"); w.Code != http.StatusNotFound {
		t.Errorf("the template: %d", w.Code)
	}
	who := s.ask("GET", "/login/who", s.login(s.token("ada", access.Viewer))).Body.String()
	if strings.TrimSpace(who) != `{"login":"session","name":"ada","role":"viewer"}` {
		t.Errorf("who: %s", who)
	}
}

// TestFailures: one address can fail ten times and then once in six seconds; others,
// and a good token from there, are let in all the same. Each is counted, few are told,
// and none with the token.
func TestFailures(t *testing.T) {
	s := newSite(t, nil)
	good := s.token("ada", access.Viewer)
	for i := range 100 {
		want, path := http.StatusUnauthorized, "/reports/"
		if i >= failuresBurst {
			want = http.StatusTooManyRequests
		}
		o := []option{bearer(fmt.Sprint("assay_guess", i)), from("10.0.0.9")}
		if i%2 == 1 {
			path, o = "/login", []option{form("token", fmt.Sprint("assay_guess", i)), from("10.0.0.9")}
		}
		method := map[string]string{"/reports/": "GET", "/login": "POST"}[path]
		w := s.ask(method, path, o...)
		s.want(fmt.Sprint("try ", i), w, want)
		if want == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "7" {
			t.Errorf("try %d: Retry-After %q", i, w.Header().Get("Retry-After"))
		}
	}
	s.want("a good token from there", s.ask("GET", "/reports/", bearer(good), from("10.0.0.9")), http.StatusNoContent)
	s.want("a failure from elsewhere", s.ask("GET", "/reports/", bearer("assay_guess"), from("10.0.0.8")), http.StatusUnauthorized)
	s.now = s.now.Add(failuresEvery)
	s.want("six seconds later", s.ask("GET", "/reports/", bearer("assay_guess"), from("10.0.0.9")), http.StatusUnauthorized)
	s.want("and once more", s.ask("GET", "/reports/", bearer("assay_guess"), from("10.0.0.9")), http.StatusTooManyRequests)
	counted := s.counted("credentials") + s.counted("rate")
	lines := strings.Count(s.log.String(), "request refused")
	if counted != 103 || lines < failuresBurst || lines > linesBurst+2 || strings.Contains(s.log.String(), "guess") {
		t.Errorf("%g counted, %d lines:\n%s", counted, lines, s.log.String())
	}
}

// TestRefusedIsTold: who is known and may not do something is a line of the log, every
// time, with the name, what they wanted and of what.
func TestRefusedIsTold(t *testing.T) {
	s := newSite(t, nil)
	token := s.token("vi", access.Viewer)
	for range 3 * linesBurst {
		s.want("kill", s.ask("POST", kill, bearer(token)), http.StatusForbidden)
	}
	log := s.log.String()
	if n := strings.Count(log, "why=role status=403 method=POST path="+kill+" action=kill experiment=checkout actor=vi role=viewer from=192.0.2.1"); n != 3*linesBurst {
		t.Errorf("%d lines:\n%s", n, log)
	}
	if strings.Contains(log, token) {
		t.Error("the log has the token")
	}
}

// TestOwners: the role owner acts where the file's owner is their name, their group, or
// what the configuration says of these, or where their token says so.
func TestOwners(t *testing.T) {
	s := newSite(t, nil)
	for _, c := range []struct {
		what, token, key string
		status           int
	}{
		{"a group that stands for the owner", "jwt-of-bob", "checkout", http.StatusNoContent},
		{"another's", "jwt-of-bob", "cart", http.StatusForbidden},
		{"the owner's name", s.token("carts", access.Owner), "cart", http.StatusNoContent},
		{"not the owner's name", s.token("carts", access.Owner), "checkout", http.StatusForbidden},
		{"a viewer with the owner's name", s.token("carts", access.Viewer), "cart", http.StatusForbidden},
		{"a token for it", s.token("ci", access.Owner, "cart"), "cart", http.StatusNoContent},
		{"a token for another", s.token("ci", access.Owner, "cart"), "checkout", http.StatusForbidden},
		{"an operator's for another", s.token("ci", access.Operator, "cart"), "checkout", http.StatusForbidden},
		{"no such experiment", "jwt-of-bob", "nothing", http.StatusForbidden},
		{"the owner is not known now", "jwt-of-bob", "unreadable", http.StatusServiceUnavailable},
		{"an operator need not be asked", s.token("op", access.Operator), "unreadable", http.StatusNoContent},
	} {
		s.want(c.what, s.ask("POST", "/api/v1/experiments/"+c.key+"/kill", bearer(c.token)), c.status)
	}
}

// TestReadersOfAnExperiment: what single units did in an experiment whose file names
// readers is refused to everybody else with any role, which is told, counted and logged;
// everything else of it is as ever, and nobody comes in while its readers are not known.
func TestReadersOfAnExperiment(t *testing.T) {
	s := newSite(t, nil)
	units := map[string]string{"/explain": "POST", "/export/moments": "GET", "/analyses": "POST"}
	analyst := s.token("an", access.Analyst)
	for path, method := range units {
		for _, c := range []struct {
			what, token, key string
			status           int
		}{
			{"a reader's group", "jwt-of-bob", "closed", http.StatusNoContent},
			{"the owner", s.token("growth", access.Owner), "closed", http.StatusNoContent},
			{"an analyst", analyst, "closed", http.StatusForbidden},
			{"an admin", s.token("root", access.Admin), "closed", http.StatusForbidden},
			{"a reader who is a viewer", s.token("eng", access.Viewer), "closed", http.StatusForbidden},
			{"a reader's token for another", s.token("eng", access.Analyst, "cart"), "closed", http.StatusForbidden},
			{"an analyst, of one without readers", analyst, "checkout", http.StatusNoContent},
			{"the readers are not known now", analyst, "unreadable", http.StatusServiceUnavailable},
		} {
			w := s.ask(method, "/api/v1/experiments/"+c.key+path, bearer(c.token))
			s.want(c.what+" "+path, w, c.status)
			if c.status == http.StatusForbidden && c.what == "an analyst" && !strings.Contains(w.Body.String(), "owner or one of its readers") {
				t.Errorf("%s is told %s", c.what, w.Body)
			}
		}
	}
	if !strings.Contains(s.log.String(), "why=role status=403 method=POST path=/api/v1/experiments/closed/explain action=explain experiment=closed actor=an role=analyst") || s.counted("role") < 9 {
		t.Errorf("%v refusals are counted, the log is\n%s", s.counted("role"), s.log.String())
	}
	s.want("its results", s.ask("GET", "/api/v1/experiments/closed/results", bearer(s.token("vi", access.Viewer))), http.StatusNoContent)
	s.want("a kill", s.ask("POST", "/api/v1/experiments/closed/kill", bearer(s.token("op", access.Operator))), http.StatusNoContent)
	open := newSite(t, func(c *Config) { c.Login = false })
	open.want("nobody, on loopback", open.ask("POST", "/api/v1/experiments/closed/explain", header("Origin", "http://127.0.0.1:8344")), http.StatusForbidden)
	open.want("nobody, of one without readers", open.ask("POST", "/api/v1/experiments/checkout/explain", header("Origin", "http://127.0.0.1:8344")), http.StatusNoContent)
}

// TestNoRule: a route that nothing was said about lets nobody in.
func TestNoRule(t *testing.T) {
	s := newSite(t, nil)
	s.want("an admin", s.ask("GET", "/nobody/knows", bearer(s.token("root", access.Admin))), http.StatusForbidden)
}

// TestOpenMetrics: Prometheus comes in without a token where the configuration says so,
// and nowhere else.
func TestOpenMetrics(t *testing.T) {
	s := newSite(t, func(c *Config) { c.OpenMetrics = true })
	s.want("metrics", s.ask("GET", "/metrics"), http.StatusNoContent)
	s.want("reports", s.ask("GET", "/reports/"), http.StatusUnauthorized)
	if w := newSite(t, nil).ask("GET", "/metrics"); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != `Bearer realm="assay"` {
		t.Errorf("closed metrics: %d, %q", w.Code, w.Header().Get("WWW-Authenticate"))
	}
}

func TestNewNeedsParts(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a door without tokens")
	}
}
