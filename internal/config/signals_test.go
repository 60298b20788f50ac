package config

import (
	"strings"
	"testing"
)

// TestSignals: nothing is asked by default, and what cannot work is refused with the
// setting's name.
func TestSignals(t *testing.T) {
	for text, want := range map[string]string{
		"data: data": "",
		"signals: {prometheus: \"http://prometheus:9090\", token: {env: PROM}, health: {checkout: \"https://checkout/healthz\"}, every: 30s}": "",
		"signals: {prometheus: \"prometheus:9090\"}":      "signals.prometheus: ",
		"signals: {health: {checkout: checkout/healthz}}": "signals.health.checkout: ",
		"signals: {every: 0s}":                            "signals.every: ",
		"signals: {every: 1h}":                            "signals.every: ",
		"signals: {every: 5s}":                            "signals.timeout: ",
		"signals: {timeout: 0s}":                          "signals.timeout: ",
	} {
		c := Default()
		if err := Parse([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if on := c.Signals.On(); on != (strings.Contains(text, "prometheus") || strings.Contains(text, "health")) {
			t.Errorf("%s: on %v", text, on)
		}
		err := c.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
