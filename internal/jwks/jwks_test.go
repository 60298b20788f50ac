package jwks_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-dev/assay/internal/jwks"
)

// publisher answers without a network, so that clocks can be stopped.
type publisher struct {
	kids   []string
	status int
	text   string // in place of a set
	asked  []string
}

func (p *publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked = append(p.asked, r.URL.String())
	w := httptest.NewRecorder()
	switch {
	case p.status == -1:
		return nil, errors.New("no route to host")
	case p.status != 0:
		w.Header().Set("Location", "https://elsewhere.example/keys")
		w.WriteHeader(p.status)
	case p.text != "":
		_, _ = w.WriteString(p.text)
	default:
		_, _ = w.Write(set(p.kids...))
	}
	return w.Result(), nil
}

func set(kids ...string) []byte {
	var all jose.JSONWebKeySet
	for _, kid := range kids {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		all.Keys = append(all.Keys, jose.JSONWebKey{Key: public, KeyID: kid})
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return text
}

func believed(jose.JSONWebKey) (bool, error) { return true, nil }

// TestRotation: a new key is found without a restart, made-up ones make few questions,
// and an old one is gone when the set is read without it.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &publisher{kids: []string{"one"}}
		k := jwks.New(jwks.Config{From: "https://keys.example/set", Transport: p, Accept: believed, Now: time.Now})
		try := func(when, id string, want bool, asked int) {
			t.Helper()
			if _, ok, err := k.Find(t.Context(), id); ok != want || err != nil || len(p.asked) != asked {
				t.Errorf("%s: %v, %v, asked %d times, want %d", when, ok, err, len(p.asked), asked)
			}
		}
		try("at first", "one", true, 1)
		generation := k.Generation()
		p.kids = []string{"one", "two"}
		try("within the pause", "two", false, 1)
		time.Sleep(31 * time.Second)
		try("a new one", "two", true, 2)
		if k.Generation() == generation {
			t.Error("nobody sees that there are other keys")
		}
		try("the old one beside it", "one", true, 2)
		for range 50 {
			try("made up", "three", false, 2)
		}
		time.Sleep(31 * time.Second)
		p.kids = []string{"two"}
		try("made up, later", "three", false, 3)
		try("the old one, taken back", "one", false, 3)
		time.Sleep(1000 * time.Hour)
		try("kept until one is missing", "two", true, 3)
	})
}

// TestUnreachable: what was read goes on, whatever the address answers instead; nothing
// is asked of another host.
func TestUnreachable(t *testing.T) {
	for name, c := range map[string]struct {
		publisher
		want string
	}{
		"no network":         {publisher{status: -1}, "no route to host"},
		"down":               {publisher{status: http.StatusServiceUnavailable}, "answer 503"},
		"another host":       {publisher{status: http.StatusFound}, "answer 302"},
		"another host, kept": {publisher{status: http.StatusPermanentRedirect}, "answer 308"},
		"a page":             {publisher{text: "<html>"}, "no set of keys"},
		"cut off":            {publisher{text: string(set("one"))[:40]}, "no set of keys"},
		"none that fits":     {publisher{text: `{"keys":[{"kty":"future","kid":"f"}]}`}, "holds no key"},
		"empty":              {publisher{text: `{"keys":[]}`}, "holds no key"},
		"a private one":      {publisher{text: private()}, "key secret: refused"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &publisher{kids: []string{"one"}}
			k := jwks.New(jwks.Config{From: "https://keys.example/set", Transport: p, Some: true, Stale: 24 * time.Hour, Now: time.Now, Accept: func(key jose.JSONWebKey) (bool, error) {
				if !key.IsPublic() {
					return false, errors.New("refused")
				}
				return true, nil
			}})
			if err := k.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			generation := k.Generation()
			p.status, p.text = c.status, c.text
			time.Sleep(time.Hour)
			if _, ok, err := k.Find(t.Context(), "two"); ok || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "keys.example") {
				t.Errorf("%s: an unknown key: %v, %v, want %q", name, ok, err, c.want)
			}
			if _, ok, err := k.Find(t.Context(), "one"); !ok || err != nil || k.Generation() != generation {
				t.Errorf("%s: a key from before: %v, %v", name, ok, err)
			}
			time.Sleep(24 * time.Hour)
			if _, ok, err := k.Find(t.Context(), "one"); ok || err == nil {
				t.Errorf("%s: a key that is stale: %v, %v", name, ok, err)
			}
			for _, address := range p.asked {
				if address != "https://keys.example/set" {
					t.Errorf("%s: %s was asked", name, address)
				}
			}
		})
	}
}

func private() string {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: "secret"}}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestFile: a set may be a file, which is read again like an address.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	k := jwks.New(jwks.Config{From: file, Accept: believed, Now: func() time.Time { return at }})
	if err := k.Read(t.Context()); err == nil {
		t.Error("a file that is not there was read")
	}
	for i, kid := range []string{"one", "two"} {
		if err := os.WriteFile(file, set(kid), 0o600); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Minute)
		if _, ok, err := k.Find(t.Context(), kid); !ok || err != nil {
			t.Errorf("reading %d: %v", i, err)
		}
	}
}

// TestUnusable: keys without a name, for encrypting and of unknown kinds are left out,
// and the others are not useless for it.
func TestUnusable(t *testing.T) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	all := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "good", Use: "sig"}, {Key: public, KeyID: "encrypts", Use: "enc"}, {Key: public}}}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	p := &publisher{text: strings.Replace(string(text), `{"keys":[`, `{"keys":[{"kty":"future","kid":"f"},7,`, 1)}
	k := jwks.New(jwks.Config{From: "https://keys.example/set", Transport: p, Accept: believed, Now: time.Now})
	for id, want := range map[string]bool{"good": true, "encrypts": false, "": false, "f": false} {
		if _, ok, err := k.Find(t.Context(), id); ok != want || err != nil {
			t.Errorf("%q: %v, %v", id, ok, err)
		}
	}
}
