package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/oidc"
)

const callback = "https://assay.example.com/login/callback"

// op is a provider that logs people in as the standard says, and refuses what it says
// to refuse.
type op struct {
	*provider
	t      *testing.T
	says   map[string]any        // in the discovery document
	claims map[string]any        // of ID tokens, beside the usual ones
	codes  map[string]url.Values // what each code was asked for with
	secret string
	broken bool // nothing is answered
}

func newOP(t *testing.T) *op {
	return &op{provider: newProvider(t), t: t, codes: map[string]url.Values{}, secret: "s3cret:/+", says: map[string]any{
		"issuer": "https://id.example.com", "authorization_endpoint": "https://id.example.com/authorize?tenant=1", "token_endpoint": "https://id.example.com/token",
		"end_session_endpoint": "https://id.example.com/out", "code_challenge_methods_supported": []string{"plain", "S256"},
	}}
}

// RoundTrip answers without a network.
func (o *op) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	switch {
	case o.broken:
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(o.says)
	case r.URL.Path == "/token":
		o.token(w, r)
	default:
		return o.provider.RoundTrip(r)
	}
	return w.Result(), nil
}

// authorize is the person's visit: it gives the query with which they come back.
func (o *op) authorize(address string) url.Values {
	o.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		o.t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{"response_type": "code", "client_id": "assay", "redirect_uri": callback, "code_challenge_method": "S256", "tenant": "1"} {
		if q.Get(name) != want {
			o.t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if scopes := strings.Fields(q.Get("scope")); len(scopes) != 3 || scopes[0] != "openid" {
		o.t.Errorf("scope %q", q.Get("scope"))
	}
	if len(q.Get("state")) < 43 || len(q.Get("nonce")) < 43 || q.Get("state") == q.Get("nonce") {
		o.t.Errorf("state %q, nonce %q can be guessed", q.Get("state"), q.Get("nonce"))
	}
	code := "code-" + q.Get("state")[:8]
	o.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {"https://id.example.com"}}
}

// token is the token endpoint: a code is good once, for who asked for it, with the
// verifier of its challenge.
func (o *op) token(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	refuse := func(status int, why string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": why})
	}
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	asked, known := o.codes[form.Get("code")]
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || form.Get("grant_type") != "authorization_code":
		refuse(http.StatusBadRequest, "invalid_request")
	case id != "assay" || secret != o.secret || basic && form.Has("client_secret"):
		refuse(http.StatusUnauthorized, "invalid_client")
	case !known || form.Get("redirect_uri") != asked.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge"):
		refuse(http.StatusBadRequest, "invalid_grant")
	default:
		delete(o.codes, form.Get("code"))
		with := map[string]any{"aud": "assay", "nonce": asked.Get("nonce")}
		maps.Copy(with, o.claims)
		_ = json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer", "access_token": "x", "id_token": o.sign(o.t, jose.RS256, "rsa", claims(with))})
	}
}

func (o *op) login(clock func() time.Time) *oidc.Login {
	o.t.Helper()
	v := oidc.New(oidc.Config{Issuer: "https://id.example.com", Audience: "assay", Name: "email", Groups: "groups", Now: clock,
		Roles: map[string]access.Role{"eng": access.Owner}}, oidc.NewKeys("https://id.example.com/keys", o, clock))
	l, err := oidc.NewLogin(oidc.LoginConfig{ID: "assay", Secret: o.secret, Scopes: []string{"email", "groups"}, Now: clock}, v, o)
	if err != nil {
		o.t.Fatal(err)
	}
	return l
}

func still() time.Time { return now }

// visit is a whole login.
func (o *op) visit(l *oidc.Login) (access.Principal, string, error) {
	o.t.Helper()
	address, kept, err := l.Begin(o.t.Context(), callback, "/decisions?q=x")
	if err != nil {
		o.t.Fatal(err)
	}
	if strings.Contains(kept, "decisions") {
		o.t.Error("what the browser keeps is not sealed")
	}
	return l.Finish(o.t.Context(), callback, kept, o.authorize(address))
}

// TestLogin: whichever way the client shows its secret, the person is who the ID token
// says, and goes where they wanted to.
func TestLogin(t *testing.T) {
	for name, change := range map[string]func(*op){
		"nothing said of methods": func(*op) {},
		"by basic": func(o *op) {
			o.says["token_endpoint_auth_methods_supported"] = []string{"client_secret_post", "client_secret_basic"}
		},
		"by post alone":         func(o *op) { o.says["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} },
		"a public client":       func(o *op) { o.secret = "" },
		"two audiences and azp": func(o *op) { o.claims = map[string]any{"aud": []string{"assay", "billing"}, "azp": "assay"} },
	} {
		o := newOP(t)
		change(o)
		p, next, err := o.visit(o.login(still))
		if err != nil || p.Name != "ada@example.com" || p.Role != access.Owner || p.Login != "oidc" || next != "/decisions?q=x" {
			t.Errorf("%s: %+v to %q, %v", name, p, next, err)
		}
	}
}

// TestLoginRefusesTokens: of what the provider gives, only an ID token for this login.
func TestLoginRefusesTokens(t *testing.T) {
	for name, with := range map[string]map[string]any{
		"another nonce":              {"nonce": "x"},
		"no nonce":                   {"nonce": nil},
		"another audience":           {"aud": "billing"},
		"another party":              {"azp": "billing"},
		"two audiences and no party": {"aud": []string{"assay", "billing"}},
		"another issuer":             {"iss": "https://evil.example.com"},
		"expired":                    {"exp": now.Add(-time.Minute).Unix()},
		"not issued":                 {"iat": nil},
		"nobody":                     {"sub": nil},
		"an email nobody verified":   {"email_verified": false},
	} {
		o := newOP(t)
		o.claims = with
		if p, _, err := o.visit(o.login(still)); !errors.Is(err, oidc.ErrToken) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	o := newOP(t)
	o.claims = map[string]any{"groups": "sales"}
	if _, _, err := o.visit(o.login(still)); !errors.Is(err, oidc.ErrNoRole) {
		t.Errorf("without a role: %v", err)
	}
}

// TestLoginRefusesReturns: who comes back without having been sent from this browser, too
// late, twice, or with the answer of another provider.
func TestLoginRefusesReturns(t *testing.T) {
	o := newOP(t)
	clock := now
	l := o.login(func() time.Time { return clock })
	begin := func() (answer url.Values, kept string) {
		address, kept, err := l.Begin(t.Context(), callback, "/")
		if err != nil {
			t.Fatal(err)
		}
		return o.authorize(address), kept
	}
	want := func(what string, kept string, answer url.Values, target error) {
		t.Helper()
		if p, _, err := l.Finish(t.Context(), callback, kept, answer); !errors.Is(err, target) || p.Name != "" {
			t.Errorf("%s: %+v, %v, want %v", what, p, err, target)
		}
	}
	answer, kept := begin()
	_, others := begin()
	want("another browser", others, answer, oidc.ErrReturn)
	want("no cookie", "", answer, oidc.ErrReturn)
	want("a cookie of nobody's", kept[:len(kept)-2]+"AA", answer, oidc.ErrReturn)
	want("no state", kept, url.Values{"code": answer["code"]}, oidc.ErrReturn)
	want("another issuer", kept, url.Values{"code": answer["code"], "state": answer["state"], "iss": {"https://evil.example.com"}}, oidc.ErrProvider)
	want("refused there", kept, url.Values{"error": {"access_denied"}, "state": answer["state"]}, oidc.ErrDenied)
	want("a made-up code", kept, url.Values{"code": {"x"}, "state": answer["state"]}, oidc.ErrProvider)
	if _, _, err := l.Finish(t.Context(), callback, kept, answer); err != nil {
		t.Fatalf("the true answer: %v", err)
	}
	want("a second time", kept, answer, oidc.ErrProvider)
	answer, kept = begin()
	clock = clock.Add(oidc.LoginLasts)
	want("too late", kept, answer, oidc.ErrReturn)
	if p, _, err := newOP(t).login(still).Finish(t.Context(), callback, kept, answer); !errors.Is(err, oidc.ErrReturn) {
		t.Errorf("in another process: %+v, %v", p, err)
	}
}

// TestDiscovery: a provider that is not the one that is configured, or cannot do PKCE,
// sends nobody anywhere; one that does not answer for a while is remembered.
func TestDiscovery(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"another issuer":       {"issuer": "https://evil.example.com"},
		"the issuer but for /": {"issuer": "https://id.example.com/"},
		"plain PKCE":           {"code_challenge_methods_supported": []string{"plain"}},
		"no endpoint":          {"token_endpoint": ""},
		"an open endpoint":     {"authorization_endpoint": "http://id.example.com/authorize"},
		"a script":             {"authorization_endpoint": "javascript:alert(1)"},
	} {
		o := newOP(t)
		maps.Copy(o.says, change)
		if address, _, err := o.login(still).Begin(t.Context(), callback, "/"); !errors.Is(err, oidc.ErrProvider) {
			t.Errorf("%s: to %q, %v", name, address, err)
		}
	}
	o := newOP(t)
	clock := now
	l := o.login(func() time.Time { return clock })
	o.broken = true
	if _, _, err := l.Begin(t.Context(), callback, "/"); !errors.Is(err, oidc.ErrProvider) {
		t.Errorf("no answer: %v", err)
	}
	o.broken, clock = false, clock.Add(time.Minute)
	if got, want := l.LogoutAddress(t.Context(), "https://assay.example.com/login"), "https://id.example.com/out?client_id=assay&post_logout_redirect_uri=https%3A%2F%2Fassay.example.com%2Flogin"; got != want {
		t.Errorf("to log out: %s, want %s", got, want)
	}
	o.broken, clock = true, clock.Add(2*time.Hour)
	if _, _, err := l.Begin(t.Context(), callback, "/"); err != nil {
		t.Errorf("what it said before: %v", err)
	}
}
