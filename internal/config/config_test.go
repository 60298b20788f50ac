package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "assay.yaml")
	write(t, file, "data: state\nkafka:\n  brokers: [127.0.0.1:9092]\nswitches:\n  s:\n    timeout: 5s\n    arms: {b: new-search-b}\n    unleash: {url: http://127.0.0.1:4242, token: {env: S}, environment: production}\n  f:\n    flagd: {file: flags.json, url: http://127.0.0.1:8016}\n")
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(file), "state"); c.Data != want {
		t.Errorf("data = %q, want it beside the file: %q", c.Data, want)
	}
	if c.Kafka.Partitions != 4 || c.Kafka.Topics[0].Name != "assay.exposures" {
		t.Errorf("defaults are gone: %+v", c.Kafka)
	}
	if got, want := c.Switches["f"].Flagd.File, filepath.Join(filepath.Dir(file), "flags.json"); got != want {
		t.Errorf("the file of flags = %q, want it beside the file: %q", got, want)
	}
	if s := c.Switches["s"]; s.Timeout.String() != "5s" || s.Arms["b"] != "new-search-b" || s.Unleash.Environment != "production" || s.Unleash.Token.Env != "S" {
		t.Errorf("switch = %+v, %+v", s, s.Unleash)
	}
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"dta: x\n":                                                  "[1:1] unknown field \"dta\"",
		"memory: 0MiB\n":                                            "memory: 0MiB is below",
		"memory: lots\n":                                            "is not a size",
		"kafka: {topics: []}\n":                                     "name at least one topic",
		"kafka: {partitions: 0}\n":                                  "kafka.partitions",
		"kafka: {topics: [{name: a}, {name: a}]}\n":                 "there twice",
		"kafka: {batch: {time: 1m}}\n":                              "kafka.batch: time",
		"kafka: {batch: {records: 0}}\n":                            "kafka.batch: time",
		"kafka: {topics: [{name: a, partitioner: random}]}\n":       "unknown partitioner",
		"kafka: {tls: {ca: x.pem}}\n":                               "kafka.tls: enabled is not set",
		"kafka: {tls: {enabled: true, cert: x.pem}}\n":              "cert and key belong together",
		"kafka: {sasl: {user: u}}\n":                                "kafka.sasl: mechanism is missing",
		"kafka: {sasl: {mechanism: md5}}\n":                         "unknown mechanism",
		"kafka: {sasl: {mechanism: plain, user: u}}\n":              "user and password are needed",
		"guard: {settle: 0s}\n":                                     "guard.settle: it must be between 1s and 1h",
		"switches: {x: {}}\n":                                       "[1:15] name a flag system: one of webhook, unleash, launchdarkly",
		"switches:\n  x:\n    timeout: 5s\n    webhook: {url: u}\n": "[4:5] webhook.secret is missing",
		"switches: {x: {deadline: 1h}}\n":                           "at most 10m",
		"switches:\n  x:\n    webhook: {url: u, timeout: 5s}\n":     "[3:23] unknown field \"timeout\"",
		"switches:\n  x:\n    webhook: {}\n    unleash: {}\n":       "[4:5] a switch is of one flag system, this one names webhook and unleash",

		"clickhouse: {nodes: [{name: a, addresses: [x]}, {name: b, addresses: [y]}]}\n":                                      "clickhouse.nodes: addresses must name",
		"clickhouse: {addresses: [h], nodes: [{name: a, addresses: [x]}]}\n":                                                 "name two or none",
		"clickhouse: {addresses: [h], nodes: [{name: a, addresses: [x]}, {name: a, addresses: [y]}]}\n":                      "is no name or there twice",
		"clickhouse: {addresses: [h], nodes: [{name: a, addresses: [x]}, {name: b}]}\n":                                      "clickhouse.nodes[1]: addresses is missing",
		"clickhouse: {addresses: [h], cluster: \"a'b\", nodes: [{name: a, addresses: [x]}, {name: b, addresses: [y]}]}\n":    "clickhouse.cluster",
		"clickhouse: {addresses: [h, i], replicated: true}\n":                                                                "must have one address",
		"clickhouse: {addresses: [h], replicated: true, nodes: [{name: a, addresses: [x]}, {name: b, addresses: [y, z]}]}\n": "clickhouse.nodes[1]: with clickhouse.replicated",

		"guard: {runbook: docs/guardrails.md}\n":                                            "guard.runbook: must begin with https://",
		"notify: {slak: {}}\n":                                                              "unknown field \"slak\"",
		"notify: {alertmanager: {}}\n":                                                      "notify.alertmanager: url is missing",
		"notify: {alertmanager: {url: am:9093}}\n":                                          "notify.alertmanager: url: must begin with",
		"notify: {alertmanager: {url: http://am:9093, again: 1ms}}\n":                       "notify.alertmanager: again: must be between",
		"notify: {slack: {channel: C1}}\n":                                                  "notify.slack: token is missing",
		"notify: {slack: {channel: C1, token: xoxb-1}}\n":                                   "[1:38] string was used where mapping is expected",
		"notify: {slack: {channel: C1, token: {env: S}, url: http://slack.example}}\n":      "notify.slack: url: must begin with https://",
		"notify: {slack: {channel: C1, token: {env: S}, only: pages}}\n":                    "notify.slack: only: \"pages\" is not page",
		"notify: {pagerduty: {}}\n":                                                         "notify.pagerduty: routing_key is missing",
		"notify: {email: {server: s:25, from: a@b.example}}\n":                              "notify.email: to is missing",
		"notify: {email: {server: s:25, from: a@b.example, to: [c@d.example], user: u}}\n":  "notify.email: user and password belong together",
		"notify: {email: {server: s:25, from: a@b.example, to: [c@d.example], tls: ssl}}\n": "notify.email: tls: unknown mode",
		"notify: {webhook: {url: https://x.example}}\n":                                     "notify.webhook: secret is missing",
	} {
		file := filepath.Join(t.TempDir(), "assay.yaml")
		write(t, file, text)
		_, err := Load(file)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "no.yaml")); err == nil {
		t.Error("a named file that does not exist was accepted")
	}
}

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "abc\n")
	t.Setenv("ASSAY_TEST_SECRET", "xyz")
	for _, c := range []struct {
		s    Secret
		want string
		ok   bool
	}{
		{Secret{}, "", true},
		{Secret{File: file}, "abc", true},
		{Secret{Env: "ASSAY_TEST_SECRET"}, "xyz", true},
		{Secret{Env: "ASSAY_TEST_NOT_SET"}, "", false},
		{Secret{File: file + "x"}, "", false},
	} {
		got, err := c.s.Resolve()
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%+v: %q, %v", c.s, got, err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
