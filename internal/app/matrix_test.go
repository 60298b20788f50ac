package app

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/web"
)

// sender is somebody, or something, that asks for a route.
type sender struct {
	name string
	mark func(*http.Request)
	want func(action access.Action, method string) int // status; 204 is let in
}

// letIn is who is let in to what, on experiment checkout, which growth owns: + is in, -
// is refused, ? is asked to log in. The columns are: nobody, a viewer, an analyst, its
// owner, another one's owner, an operator, an admin, an operator of cart alone, a JWT of
// the owner's group, a JWT of an operator's group, an evaluator,
// an approver.
var letIn = map[access.Action]string{
	access.Open:        "++++++++++++",
	access.Metrics:     "?+++++++++-+",
	access.Evaluate:    "?+++++++++++",
	access.Read:        "?+++++++++-+",
	access.Explain:     "?-+++++-++-+",
	access.Export:      "?-+++++-++-+",
	access.AdHoc:       "?-+++++-++-+",
	access.Annotate:    "?--+-++-++--",
	access.Kill:        "?--+-++-++--",
	access.Resume:      "?--+-++-++--",
	access.Snooze:      "?--+-++-++--",
	access.Acknowledge: "?--+-++-++--",
	access.StopAll:     "?----++--+--",
	access.GrowRamp:    "?--+-++-++--",
	access.ShrinkRamp:  "?--+-++-++--",
	access.Approve:     "?----++--+-+",
	access.Tokens:      "?-----+-----",
}

// letInClosed is the same on experiment pricing, which growth owns as well and whose file
// names a reader: what single units did is for these two, and no role stands above them.
var letInClosed = map[access.Action]string{
	access.Explain: "?--+----+---",
	access.Export:  "?--+----+---",
	access.AdHoc:   "?--+----+---",
}

// column is what the tables say of a sender.
func column(n int) func(access.Action, string) int {
	return func(a access.Action, _ string) int { return statusOf(letIn[a], n) }
}

func statusOf(row string, n int) int {
	if row == "" {
		return 0 // an action that this test does not know
	}
	return map[byte]int{'+': http.StatusNoContent, '-': http.StatusForbidden, '?': http.StatusUnauthorized}[row[n]]
}

func always(status int) func(access.Action, string) int {
	return func(access.Action, string) int { return status }
}

// TestMatrix asks for every route that the program serves in the name of everybody: each
// role, owners, and everything that must not be believed. The routes are those that are
// registered, so that a new one without a rule fails here; behind the door stands an
// answer of 204, so that what is let in is told from what is refused.
func TestMatrix(t *testing.T) {
	s := newStack(t)
	owned := experiment.Version{Number: 1, AppliedAt: time.Now(), Author: "test", Experiments: []experiment.Experiment{
		{Key: "checkout", Owner: "growth"}, {Key: "cart", Owner: "carts"},
		{Key: "pricing", Owner: "growth", Readers: []string{"ci"}},
	}}
	if err := s.DB.AppendVersion(t.Context(), owned); err != nil {
		t.Fatal(err)
	}
	s.Config = config.Default()
	s.Config.Data, s.Config.Reports, s.Config.Listen = t.TempDir(), t.TempDir(), "127.0.0.1:0"
	routes := servedRoutes(t, s)
	id := newIdentity(t)
	s.Config.Access = config.Access{
		Login: true, Session: experiment.Duration(time.Hour), Hosts: []string{"assay.example.com"}, Owners: map[string][]string{"growth": {"eng"}},
		OIDC: &config.OIDC{Issuer: id.server.URL, Audience: "assay", JWKS: id.server.URL + "/keys", Roles: map[string]string{"oncall": "operator", "eng": "owner"}},
	}
	door, err := s.webDoor(t)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, pattern := range routes {
		if _, ok := access.Rules()[pattern]; !ok {
			t.Errorf("%s: nothing says who may do this: internal/access/rules.go", pattern)
		}
		mux.Handle(pattern, door.Route(pattern, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	}
	handler := door.Around(mux)

	for i, from := range matrixSenders(t, s, id) {
		for n, pattern := range routes {
			method, _, _ := strings.Cut(pattern, " ")
			rule := access.Rules()[pattern]
			addr := fmt.Sprintf("[2001:db8::%x:%x]:1", n, i) // each from elsewhere: none is one too many
			want := from.want(rule.Action, method)
			if got := askAs(handler, pattern, "checkout", from, addr); got != want {
				t.Errorf("%s (%s), %s: %d, want %d", pattern, rule.Action, from.name, got, want)
			}
			if row := letInClosed[rule.Action]; row != "" && rule.Experiment != "" {
				if i < len(row) {
					want = statusOf(row, i)
				} else if want == http.StatusNoContent { // the admin, who reads from another origin
					want = http.StatusForbidden
				}
			}
			if got := askAs(handler, pattern, "pricing", from, addr); got != want {
				t.Errorf("%s (%s) of pricing, %s: %d, want %d", pattern, rule.Action, from.name, got, want)
			}
		}
	}
	for pattern := range access.Rules() {
		if !slices.Contains(routes, pattern) {
			t.Errorf("%s: a rule for what is not served", pattern)
		}
	}
	t.Logf("%d routes", len(routes))
}

// servedRoutes are what the program serves.
func servedRoutes(t *testing.T, s *Stack) []string {
	t.Helper()
	d, err := s.Web(t.Context(), WebOptions{Registry: prometheus.NewRegistry(), User: "ada", Audit: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return d.Routes()
}

// webDoor is the door as it is configured, without a server.
func (s *Stack) webDoor(t *testing.T) (web.Door, error) {
	d, _, err := s.door(s.Config.Access, prometheus.NewRegistry(), "ada", slog.New(slog.NewTextHandler(t.Output(), nil)))
	return d, err
}

var pathPart = regexp.MustCompile(`\{(\w+)\}`)

func askAs(h http.Handler, pattern, key string, from sender, addr string) int {
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.NewReplacer("{$}", "", "{key}", key).Replace(path)
	path = pathPart.ReplaceAllString(path, "1")
	r := httptest.NewRequest(method, path, http.NoBody)
	r.Host, r.RemoteAddr = "assay.example.com", addr
	from.mark(r)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func matrixSenders(t *testing.T, s *Stack, id *identity) []sender {
	t.Helper()
	file := Tokens(s.Config)
	token := func(name string, role access.Role, made time.Time, only ...string) (string, access.Token) {
		secret, kept, err := access.Order{Name: name, Role: role, Experiments: only, For: time.Hour}.Make(rand.Reader, made)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Add(kept); err != nil {
			t.Fatal(err)
		}
		return secret, kept
	}
	now := time.Now()
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	of := func(name string, role access.Role, only ...string) func(*http.Request) {
		secret, _ := token(name, role, now, only...)
		return bearer(secret)
	}
	admin := of("root", access.Admin)
	client, _ := token("shop", access.Evaluator, now)
	evaluator := func(r *http.Request) { r.Header.Set("X-API-Key", client) }
	expired, _ := token("old", access.Admin, now.Add(-2*time.Hour))
	revoked, kept := token("gone", access.Admin, now)
	if _, err := file.Revoke(kept.ID); err != nil {
		t.Fatal(err)
	}
	return []sender{
		{"nobody", func(*http.Request) {}, column(0)},
		{"a viewer", of("vi", access.Viewer), column(1)},
		{"an analyst", of("an", access.Analyst), column(2)},
		{"its owner", of("growth", access.Owner), column(3)},
		{"another one's owner", of("carts", access.Owner), column(4)},
		{"an operator", of("op", access.Operator), column(5)},
		{"an admin", admin, column(6)},
		{"an operator of cart alone", of("ci", access.Operator, "cart"), column(7)},
		{"a JWT of its owner's group", bearer(id.jwt(t, nil)), column(8)},
		{"a JWT of an operator's group", bearer(id.jwt(t, map[string]any{"groups": "oncall"})), column(9)},
		{"an evaluator", evaluator, column(10)},
		{"an approver", of("ap", access.Approver), column(11)},
		{"an expired token", bearer(expired), always(http.StatusUnauthorized)},
		{"a revoked token", bearer(revoked), always(http.StatusUnauthorized)},
		{"a token that was never made", bearer("assay_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), always(http.StatusUnauthorized)},
		{"an expired JWT", bearer(id.jwt(t, map[string]any{"exp": now.Add(-time.Minute).Unix()})), always(http.StatusUnauthorized)},
		{"a JWT for another audience", bearer(id.jwt(t, map[string]any{"aud": "billing"})), always(http.StatusUnauthorized)},
		{"a JWT with alg none", bearer(id.none(t)), always(http.StatusUnauthorized)},
		{"a JWT with HS256 and the public key", bearer(id.confused(t)), always(http.StatusUnauthorized)},
		{"a JWT with an unknown key", bearer(newIdentity(t).jwt(t, map[string]any{"iss": id.server.URL})), always(http.StatusUnauthorized)},
		{"a JWT without a role", bearer(id.jwt(t, map[string]any{"groups": "sales"})), always(http.StatusUnauthorized)},
		{"an admin from another origin", func(r *http.Request) { admin(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }, func(_ access.Action, method string) int {
			if access.Writes(method) {
				return http.StatusForbidden
			}
			return http.StatusNoContent
		}},
		{"an admin under another host", func(r *http.Request) { admin(r); r.Host = "evil.example.com" }, always(http.StatusMisdirectedRequest)},
	}
}

// identity is an identity provider with one key.
type identity struct {
	key    *ecdsa.PrivateKey
	kid    string
	server *httptest.Server
}

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := &identity{key: key}
	public := jose.JSONWebKey{Key: key.Public(), Algorithm: "ES256", Use: "sig"}
	print, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	id.kid = base64.RawURLEncoding.EncodeToString(print)
	public.KeyID = id.kid
	id.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	}))
	t.Cleanup(id.server.Close)
	return id
}

func (id *identity) claims(with map[string]any) map[string]any {
	c := map[string]any{"iss": id.server.URL, "aud": "assay", "sub": "7", "email": "ada@example.com", "groups": []string{"eng"}, "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range with {
		c[k] = v
	}
	return c
}

func (id *identity) jwt(t *testing.T, with map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: id.key}, (&jose.SignerOptions{}).WithHeader("kid", id.kid))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(id.claims(with))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// unsigned is a token up to its signature.
func (id *identity) unsigned(t *testing.T, alg string) string {
	t.Helper()
	var parts []string
	for _, part := range []any{map[string]string{"alg": alg, "kid": id.kid}, id.claims(map[string]any{"groups": "oncall"})} {
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(b))
	}
	return strings.Join(parts, ".")
}

func (id *identity) none(t *testing.T) string { return id.unsigned(t, "none") + "." }

// confused is signed with the public key, as if it were the secret of an HMAC.
func (id *identity) confused(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(id.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := id.unsigned(t, "HS256")
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
