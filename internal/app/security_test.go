package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/config"
)

// authority signs certificates of brokers and clients.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.key = newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) write(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// issue writes NAME.pem and NAME.key.
func (a *authority) issue(t *testing.T, name string, usage x509.ExtKeyUsage) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{usage}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, name+".pem", "CERTIFICATE", der)
	a.write(t, name+".key", "EC PRIVATE KEY", private)
}

func (a *authority) server(t *testing.T, clients bool) *tls.Config {
	t.Helper()
	a.issue(t, "broker", x509.ExtKeyUsageServerAuth)
	pair, err := tls.LoadX509KeyPair(a.file("broker.pem"), a.file("broker.key"))
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if clients {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		c.ClientCAs.AddCert(a.cert)
	}
	return c
}

const password = "correct horse battery staple"

// secured starts a broker and returns its configuration without any security.
func secured(t *testing.T, opts ...kfake.Opt) config.Kafka {
	t.Helper()
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(2, "events"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return config.Kafka{Brokers: cluster.ListenAddrs()}
}

// everyClient uses each kind of client that assay has: one that writes, one that
// asks and reads, one that is in a group.
func everyClient(ctx context.Context, brokers []string, client []kgo.Opt) error {
	p, err := kafka.NewProducer(kafka.ProducerConfig{Brokers: brokers, Exposures: "events", Outcomes: "events", Client: client})
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.Produce(ctx, ingest.Outcome, "u", []byte(`{"unit":"u"}`)); err != nil {
		return err
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Client = brokers, client
	if _, err := kafka.Sample(ctx, cfg, []string{"events"}, 2); err != nil {
		return err
	}
	stage := kafka.DefaultRekeyConfig()
	stage.Brokers, stage.Client, stage.Topic, stage.Partitions, stage.UntilEnd, stage.Convert = brokers, client, "events", 2, true, kafka.ConvertNative()
	r, err := kafka.NewRekey(stage)
	if err != nil {
		return err
	}
	if err := r.Prepare(ctx); err != nil {
		return err
	}
	return r.Run(ctx)
}

func TestSecureClients(t *testing.T) {
	a := newAuthority(t)
	a.issue(t, "client", x509.ExtKeyUsageClientAuth)
	t.Setenv("ASSAY_TEST_PASSWORD", password)
	trusting := config.TLS{Enabled: true, CA: a.file("ca.pem")}
	named := config.TLS{Enabled: true, CA: a.file("ca.pem"), ServerName: "broker", Cert: a.file("client.pem"), Key: a.file("client.key")}
	as := func(mechanism string) config.SASL {
		return config.SASL{Mechanism: mechanism, User: "assay", Password: config.Secret{Env: "ASSAY_TEST_PASSWORD"}}
	}
	accepts := func(mechanism string) []kfake.Opt {
		return []kfake.Opt{kfake.TLS(a.server(t, false)), kfake.EnableSASL(), kfake.Superuser(mechanism, "assay", password)}
	}
	for name, c := range map[string]struct {
		broker []kfake.Opt
		tls    config.TLS
		sasl   config.SASL
	}{
		"TLS":           {[]kfake.Opt{kfake.TLS(a.server(t, false))}, trusting, config.SASL{}},
		"mTLS":          {[]kfake.Opt{kfake.TLS(a.server(t, true))}, named, config.SASL{}},
		"PLAIN":         {accepts("PLAIN"), trusting, as("plain")},
		"SCRAM-SHA-256": {accepts("SCRAM-SHA-256"), trusting, as("scram-sha-256")},
		"SCRAM-SHA-512": {accepts("SCRAM-SHA-512"), trusting, as("scram-sha-512")},
	} {
		t.Run(name, func(t *testing.T) {
			k := secured(t, c.broker...)
			k.TLS, k.SASL = c.tls, c.sasl
			client, err := KafkaClient(k)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := everyClient(ctx, k.Brokers, client); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is not let in says so, and no message holds the password.
func TestRefusedClients(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	t.Setenv("ASSAY_TEST_PASSWORD", "not the "+password)
	trusting := config.TLS{Enabled: true, CA: a.file("ca.pem")}
	login := config.SASL{Mechanism: "scram-sha-256", User: "assay", Password: config.Secret{Env: "ASSAY_TEST_PASSWORD"}}
	for name, c := range map[string]struct {
		broker []kfake.Opt
		tls    config.TLS
		sasl   config.SASL
		says   string
	}{
		"another authority": {[]kfake.Opt{kfake.TLS(a.server(t, false))}, config.TLS{Enabled: true, CA: stranger.file("ca.pem")}, config.SASL{}, "unknown authority"},
		"another name":      {[]kfake.Opt{kfake.TLS(a.server(t, false))}, config.TLS{Enabled: true, CA: a.file("ca.pem"), ServerName: "bank"}, config.SASL{}, "not bank"},
		"no certificate":    {[]kfake.Opt{kfake.TLS(a.server(t, true))}, trusting, config.SASL{}, "certificate required"},
		"wrong password": {[]kfake.Opt{kfake.TLS(a.server(t, false)), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "assay", password)},
			trusting, login, "EOF"}, // brokers hang up on whom they do not know
	} {
		t.Run(name, func(t *testing.T) {
			k := secured(t, c.broker...)
			k.TLS, k.SASL = c.tls, c.sasl
			client, err := KafkaClient(k)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err = everyClient(ctx, k.Brokers, append(client, kgo.RequestRetries(0), kgo.RecordDeliveryTimeout(time.Second)))
			if err == nil || ctx.Err() != nil {
				t.Fatalf("the client was let in or nobody answered: %v", err)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("refused with %q, want %q in it", err, c.says)
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the password stands in %q", err)
			}
		})
	}
}

func TestSecurityThatCannotBeRead(t *testing.T) {
	a := newAuthority(t)
	for name, k := range map[string]config.Kafka{
		"read ca":          {TLS: config.TLS{Enabled: true, CA: a.file("none.pem")}},
		"no certificate":   {TLS: config.TLS{Enabled: true, CA: os.Args[0]}},
		"cert and key":     {TLS: config.TLS{Enabled: true, Cert: a.file("ca.pem"), Key: a.file("ca.pem")}},
		"ASSAY_TEST_UNSET": {SASL: config.SASL{Mechanism: "plain", User: "u", Password: config.Secret{Env: "ASSAY_TEST_UNSET"}}},
	} {
		k.Brokers = []string{"127.0.0.1:1"}
		if _, err := KafkaClient(k); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q in it", err, name)
		}
		k.Brokers = nil // the embedded broker asks for nothing
		if opts, err := KafkaClient(k); err != nil || opts != nil {
			t.Errorf("the embedded broker: %v, %v", opts, err)
		}
	}
}
