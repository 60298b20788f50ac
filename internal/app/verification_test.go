package app

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest/proof"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
	"github.com/assay-dev/assay/internal/realkafka"
)

// edge signs exposures, and gives units tokens.
type edge struct {
	*testing.T
	secret []byte
	public ed25519.PublicKey
	key    ed25519.PrivateKey
	dir    string
	at     time.Time // of all its exposures
}

func newEdge(t *testing.T, at time.Time) *edge {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{t, []byte(rand.Text() + rand.Text()), public, key, t.TempDir(), at}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "edge-1", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"secret": e.secret, "keys.json": set} {
		if err := os.WriteFile(filepath.Join(e.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *edge) config() config.Verification {
	return config.Verification{
		Header: "assay-signature", Keys: map[string]config.Secret{"edge": {File: filepath.Join(e.dir, "secret")}},
		Token: "assay-token", JWKS: filepath.Join(e.dir, "keys.json"), Algorithms: []string{"EdDSA"}, Issuer: "edge", Audience: "assay",
	}
}

// exposure is one of German units, as a record without a proof.
func (e *edge) exposure(unit, variant string) *kgo.Record {
	return &kgo.Record{Topic: "assay.exposures", Key: []byte(unit), Value: fmt.Appendf(nil,
		`{"type":"exposure","ts":%d,"unit":%q,"experiment":"cta","variant":%q,"attrs":{"country":"DE"}}`, e.at.UnixMilli(), unit, variant)}
}

// signed is an exposure with the signature of a value.
func (e *edge) signed(unit, variant, key string, of []byte) *kgo.Record {
	r := e.exposure(unit, variant)
	if of == nil {
		of = r.Value
	}
	r.Headers = []kgo.RecordHeader{{Key: "assay-signature", Value: []byte(proof.Sign(key, e.secret, of))}}
	return r
}

// token is that of a unit in treatment, with other claims.
func (e *edge) token(unit, kid string, key jose.SigningKey, with map[string]any) string {
	e.Helper()
	claims := map[string]any{"iss": "edge", "aud": "assay", "sub": unit, "iat": e.at.Unix(), "exp": e.at.Add(time.Second * 30).Unix(),
		"attrs": map[string]any{"country": "DE"}, "asg": map[string]any{"experiment": "cta", "variant": "treatment"}}
	maps.Copy(claims, with)
	body, err := json.Marshal(claims)
	if err != nil {
		e.Fatal(err)
	}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		e.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		e.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		e.Fatal(err)
	}
	return text
}

func (e *edge) tokened(unit, variant, token string) *kgo.Record {
	r := e.exposure(unit, variant)
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: "assay-token", Value: []byte(token)})
	return r
}

// records are exposures of units that are named by what must be found, and a number.
func (e *edge) records() (all []*kgo.Record) {
	eddsa := jose.SigningKey{Algorithm: jose.EdDSA, Key: e.key}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		e.Fatal(err)
	}
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	good := e.token("forged-4", "edge-1", eddsa, nil)
	body := strings.Split(good, ".")[1]
	asHMAC := part(`{"alg":"HS256","kid":"edge-1"}`) + "." + body
	mac := hmac.New(sha256.New, e.public)
	mac.Write([]byte(asHMAC))
	both := e.tokened("mismatched-4", "treatment", e.token("another", "edge-1", eddsa, nil))
	both.Headers = append(both.Headers, kgo.RecordHeader{Key: "assay-signature", Value: []byte(proof.Sign("edge", e.secret, both.Value))})
	return []*kgo.Record{
		e.signed("verified-1", "control", "edge", nil),
		// That the token has expired since then is no matter: the exposure's time counts.
		e.tokened("verified-2", "treatment", e.token("verified-2", "edge-1", eddsa, nil)),
		e.exposure("unverified-1", "treatment"),
		e.signed("forged-1", "treatment", "edge", e.exposure("forged-1", "control").Value), // sent again with another variant
		e.signed("forged-2", "treatment", "unknown", nil),
		e.tokened("forged-3", "treatment", e.token("forged-3", "edge-1", jose.SigningKey{Algorithm: jose.EdDSA, Key: stranger}, nil)),
		e.tokened("forged-4", "treatment", part(`{"alg":"none","kid":"edge-1"}`)+"."+body+"."),
		e.tokened("forged-4", "treatment", asHMAC+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil))),
		e.tokened("forged-5", "treatment", e.token("forged-5", "edge-2", eddsa, nil)),
		e.tokened("forged-6", "treatment", e.token("forged-6", "edge-1", eddsa, map[string]any{"aud": "another"})),
		e.tokened("expired-1", "treatment", e.token("expired-1", "edge-1", eddsa, map[string]any{"exp": e.at.Unix() - 1})),
		e.tokened("mismatched-1", "control", e.token("mismatched-1", "edge-1", eddsa, nil)), // replayed with another variant
		e.tokened("mismatched-2", "treatment", e.token("another", "edge-1", eddsa, nil)),
		e.tokened("mismatched-3", "treatment", e.token("mismatched-3", "edge-1", eddsa, map[string]any{"attrs": map[string]any{"country": "FR"}})),
		both,
	}
}

// found counts what was found, by the beginning of a unit's name.
func found(records []*kgo.Record) map[string]uint64 {
	out := map[string]uint64{}
	for _, r := range records {
		what, _, _ := strings.Cut(string(r.Key), "-")
		out[what]++
	}
	return out
}

// TestProofsThroughKafka sends exposures whose headers prove, or fail to prove, what they
// claim, through an embedded broker and through Apache Kafka: what is found is stored or
// refused as the topic asks, is written down, and is the same when all is read again.
func TestProofsThroughKafka(t *testing.T) {
	topics := []string{"assay.exposures", "assay.outcomes", "assay.deadletters"}
	for name, broker := range map[string]func(t *testing.T) string{
		"embedded": func(t *testing.T) string { return embeddedtest.Kafka(t, topics, 2).Addr() },
		"Apache": func(t *testing.T) string {
			addr := realkafka.For(t, 1).Addrs()[0]
			cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			made, err := kadm.NewClient(cl).CreateTopics(t.Context(), 2, 1, nil, topics...)
			if err != nil || made.Error() != nil {
				t.Fatal(err, made.Error())
			}
			return addr
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newForgetfulAt(t, broker(t))
			e := newEdge(t, w.start.Add(time.Second))
			w.Config.Verify, w.Config.Privacy.Attributes = e.config(), []string{"country"}
			w.Config.Kafka.Topics[0].Verify = "require"
			records := e.records()
			if err := w.client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			w.buy() // nothing: the topic of outcomes is there
			want := found(records)
			stored, refused := map[string]uint64{"verified": want["verified"]}, maps.Clone(want)
			delete(refused, "verified")
			for _, when := range []string{"at first", "read again"} {
				w.read()
				if diff := cmp.Diff(stored, w.counts(`SELECT attrs['$verified'] AS what, uniqExact(shard, offset) FROM events GROUP BY what`)); diff != "" {
					t.Errorf("%s: stored (-want +got):\n%s", when, diff)
				}
				if diff := cmp.Diff(refused, w.counts(`SELECT toString(reason) AS what, uniqExact(shard, offset) FROM dead_letters GROUP BY what`)); diff != "" {
					t.Errorf("%s: refused (-want +got):\n%s", when, diff)
				}
				w.exact(when)
				for _, table := range []string{"ledger", "events", "dead_letters", "proven"} {
					w.Stack.exec(t, "TRUNCATE TABLE "+table)
				}
			}
			// A topic that accepts stores what was found.
			w.Config.Kafka.Topics[0].Verify = "accept"
			for _, table := range []string{"decodings"} {
				w.Stack.exec(t, "TRUNCATE TABLE "+table)
			}
			w.read()
			if diff := cmp.Diff(want, w.counts(`SELECT attrs['$verified'] AS what, uniqExact(shard, offset) FROM events GROUP BY what`)); diff != "" {
				t.Errorf("accepted (-want +got):\n%s", diff)
			}
		})
	}
}

// counts runs a query of names and numbers.
func (w *forgetful) counts(query string) map[string]uint64 {
	w.t.Helper()
	conn := w.admin()
	defer conn.Close()
	rows, err := conn.Query(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]uint64{}
	for rows.Next() {
		var name string
		var n uint64
		if err := rows.Scan(&name, &n); err != nil {
			w.t.Fatal(err)
		}
		out[name] = n
	}
	return out
}

// TestTokenKeys: which keys of a set are believed.
func TestTokenKeys(t *testing.T) {
	e := newEdge(t, time.Now())
	for name, c := range map[string]struct {
		key  any
		want string // "": the set is good
	}{
		"public":         {e.public, ""},
		"private":        {e.key, "private one"},
		"shared":         {e.secret, ""},
		"shared, short":  {e.secret[:31], "needs 32 bytes"},
		"of no use here": {nil, "holds no key"},
	} {
		set := []byte(`{"keys":[{"kty":"future","kid":"k"}]}`)
		if c.key != nil {
			var err error
			if set, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.key, KeyID: "k"}}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(e.dir, "keys.json"), set, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := prover(t.Context(), e.config())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	short := e.config()
	if err := os.WriteFile(filepath.Join(e.dir, "secret"), e.secret[:31], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := prover(t.Context(), short); err == nil || !strings.Contains(err.Error(), "verification.keys.edge: a key needs 32 bytes") {
		t.Errorf("a short secret: %v", err)
	}
}
