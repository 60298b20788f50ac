package config

import (
	"errors"
	"fmt"
)

// TLS says how the brokers are spoken to. It holds for all clients alike.
type TLS struct {
	Enabled    bool   `yaml:"enabled"`     // TLS 1.2 or newer
	CA         string `yaml:"ca"`          // file of the authorities that sign brokers' certificates; empty: the system's
	Cert       string `yaml:"cert"`        // file of the client's certificate, where brokers ask for one
	Key        string `yaml:"key"`         // file of its key
	ServerName string `yaml:"server_name"` // in the brokers' certificates, when it is not the name in their address
}

// SASL is how the brokers know who asks.
type SASL struct {
	Mechanism string `yaml:"mechanism"` // plain, scram-sha-256, scram-sha-512; empty: no login
	User      string `yaml:"user"`      // to log in as
	Password  Secret `yaml:"password"`  // of that user
}

// secure refuses halves: a certificate without TLS would else not be used, and
// nobody would be told.
func (k *Kafka) secure() error {
	t := k.TLS
	if !t.Enabled && t != (TLS{}) {
		return errors.New("kafka.tls: enabled is not set, so nothing else of it has an effect")
	}
	if (t.Cert == "") != (t.Key == "") {
		return errors.New("kafka.tls: cert and key belong together")
	}
	s := k.SASL
	switch s.Mechanism {
	case "":
		if s != (SASL{}) {
			return errors.New("kafka.sasl: mechanism is missing: plain, scram-sha-256 or scram-sha-512")
		}
	case "plain", "scram-sha-256", "scram-sha-512":
		if s.User == "" || s.Password.Empty() {
			return errors.New("kafka.sasl: user and password are needed")
		}
	default:
		return fmt.Errorf("kafka.sasl: unknown mechanism %q: plain, scram-sha-256 or scram-sha-512", s.Mechanism)
	}
	return nil
}
