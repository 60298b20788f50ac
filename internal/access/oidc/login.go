package oidc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/outbound"
)

// LoginConfig says as which client people are sent to the provider.
type LoginConfig struct {
	ID     string
	Secret string   // "": a public client, which PKCE alone protects
	Scopes []string // openid is added
	Now    func() time.Time
}

// Login logs people in at the provider: authorization code flow with PKCE, state and
// nonce (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700).
type Login struct {
	cfg      LoginConfig
	verifier *Verifier
	client   *http.Client
	seal     sealer

	mu    sync.Mutex
	found metadata
	read  time.Time // when the provider said so
	tried time.Time // when it was last asked, unless it answered
}

// NewLogin makes one. The verifier's audience must be the client's id.
func NewLogin(cfg LoginConfig, v *Verifier, transport http.RoundTripper) (*Login, error) {
	if v.cfg.Audience != cfg.ID {
		return nil, errors.New("oidc: the ID tokens must be for the client that asks for them")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s, err := newSealer()
	if err != nil {
		return nil, err
	}
	return &Login{cfg: cfg, verifier: v, client: outbound.NewClient(transport), seal: s}, nil
}

// Why nobody was logged in. Their texts are shown to the person.
var (
	ErrProvider = errors.New("the identity provider does not answer as it should")
	ErrReturn   = errors.New("this login was not begun in this browser a moment ago: begin again")
	ErrDenied   = errors.New("the identity provider has refused the login")
)

// pending is what has to be known when the person comes back. It lies in their browser,
// sealed.
type pending struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE
	Next     string    `json:"x"`
	Until    time.Time `json:"u"`
}

// LoginLasts is how long a person may take at the provider.
const LoginLasts = 10 * time.Minute

// Begin gives the address at the provider, and what the browser has to bring back.
func (l *Login) Begin(ctx context.Context, redirect, next string) (address, kept string, err error) {
	m, err := l.metadata(ctx)
	if err != nil {
		return "", "", err
	}
	p := pending{Next: next, Until: l.cfg.Now().Add(LoginLasts)}
	for _, one := range []*string{&p.State, &p.Nonce, &p.Verifier} {
		if *one, err = random(); err != nil {
			return "", "", err
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", "", fmt.Errorf("seal a login: %w", err)
	}
	challenge := sha256.Sum256([]byte(p.Verifier))
	scopes := append([]string{"openid"}, slices.DeleteFunc(slices.Clone(l.cfg.Scopes), func(s string) bool { return s == "openid" })...)
	q := url.Values{
		"response_type": {"code"}, "client_id": {l.cfg.ID}, "redirect_uri": {redirect}, "scope": {strings.Join(scopes, " ")},
		"state": {p.State}, "nonce": {p.Nonce}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	return withQuery(m.Authorization, q), l.seal.close(b), nil
}

// Finish believes the answer with which the person comes back, or says why not.
func (l *Login) Finish(ctx context.Context, redirect, kept string, answer url.Values) (p access.Principal, next string, err error) {
	var begun pending
	if b, err := l.seal.open(kept); err != nil || json.Unmarshal(b, &begun) != nil || !l.cfg.Now().Before(begun.Until) {
		return p, "", ErrReturn
	}
	if state := answer.Get("state"); state == "" || subtle.ConstantTimeCompare([]byte(state), []byte(begun.State)) != 1 {
		return p, "", ErrReturn
	}
	if from := answer.Get("iss"); from != "" && from != l.verifier.cfg.Issuer { // RFC 9207
		return p, begun.Next, fmt.Errorf("%w: the answer is another issuer's", ErrProvider)
	}
	if answer.Get("error") != "" || answer.Get("code") == "" {
		return p, begun.Next, ErrDenied
	}
	raw, err := l.exchange(ctx, redirect, answer.Get("code"), begun.Verifier)
	if err != nil {
		return p, begun.Next, err
	}
	p, err = l.verifier.verifyID(ctx, raw, begun.Nonce)
	p.Login = "oidc"
	return p, begun.Next, err
}

// exchange takes a code for an ID token.
func (l *Login) exchange(ctx context.Context, redirect, code, verifier string) (string, error) {
	m, err := l.metadata(ctx)
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
	basic := l.cfg.Secret != "" && (len(m.Methods) == 0 || slices.Contains(m.Methods, "client_secret_basic"))
	if !basic {
		form.Set("client_id", l.cfg.ID)
		if l.cfg.Secret != "" {
			form.Set("client_secret", l.cfg.Secret)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrProvider, outbound.Bare(err))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic { // RFC 6749, 2.3.1: both are form-encoded first
		req.SetBasicAuth(url.QueryEscape(l.cfg.ID), url.QueryEscape(l.cfg.Secret))
	}
	var got struct {
		ID    string `json:"id_token"`
		Error string `json:"error"`
	}
	status, err := l.ask(req, &got)
	switch {
	case err != nil:
		return "", err
	case status != http.StatusOK:
		return "", fmt.Errorf("%w: its token endpoint answers %d %.40q", ErrProvider, status, got.Error)
	case got.ID == "":
		return "", fmt.Errorf("%w: its token endpoint gives no ID token", ErrProvider)
	}
	return got.ID, nil
}

// ask sends a request and reads the JSON of the answer.
func (l *Login) ask(req *http.Request, into any) (status int, err error) {
	req.Header.Set("Accept", "application/json")
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrProvider, outbound.Bare(err))
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if err := json.NewDecoder(io.LimitReader(resp.Body, outbound.MaxAnswer)).Decode(into); err != nil {
		return resp.StatusCode, fmt.Errorf("%w: answer %d is no JSON", ErrProvider, resp.StatusCode)
	}
	return resp.StatusCode, nil
}

// LogoutAddress is where the person can log out at the provider too; "" where it names
// no such place.
func (l *Login) LogoutAddress(ctx context.Context, back string) string {
	m, err := l.metadata(ctx)
	if err != nil || m.EndSession == "" {
		return ""
	}
	return withQuery(m.EndSession, url.Values{"client_id": {l.cfg.ID}, "post_logout_redirect_uri": {back}})
}

func withQuery(address string, q url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + q.Encode()
	}
	return address + "?" + q.Encode()
}

// random is a value that nobody guesses: 256 bits.
func random() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a random value: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
