package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/assay-dev/assay/internal/config"
)

// KafkaClient are the options of every client of the configured brokers: TLS and
// login. The embedded broker, which is taken when none is named, has neither.
func KafkaClient(k config.Kafka) ([]kgo.Opt, error) {
	if len(k.Brokers) == 0 {
		return nil, nil
	}
	var opts []kgo.Opt
	if k.TLS.Enabled {
		t, err := clientTLS(k.TLS)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls: %w", err)
		}
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	if k.SASL.Mechanism != "" {
		m, err := login(k.SASL)
		if err != nil {
			return nil, fmt.Errorf("kafka.sasl: %w", err)
		}
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

func clientTLS(c config.TLS) (*tls.Config, error) {
	t := tlsConfig()
	t.ServerName = c.ServerName
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("read ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: no certificate in %s", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("cert and key: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

func login(c config.SASL) (sasl.Mechanism, error) {
	password, err := c.Password.Resolve()
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	if password == "" {
		return nil, errors.New("the password is empty")
	}
	switch c.Mechanism {
	case "plain":
		return plain.Auth{User: c.User, Pass: password}.AsMechanism(), nil
	case "scram-sha-256":
		return scram.Auth{User: c.User, Pass: password}.AsSha256Mechanism(), nil
	case "scram-sha-512":
		return scram.Auth{User: c.User, Pass: password}.AsSha512Mechanism(), nil
	default:
		return nil, fmt.Errorf("unknown mechanism %q", c.Mechanism)
	}
}
