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

// TestShedding: by default nothing is shed by itself, and a plan that cannot work is
// refused with the setting's name.
func TestShedding(t *testing.T) {
	for text, want := range map[string]string{
		"data: data":                                 "",
		"shedding: {keep: [0.5, 0.25]}":              "",
		"shedding: {keep: [0.5], lag: 2m, for: 30m}": "",
		"shedding: {keep: [0.25, 0.5]}":              "shedding.keep: ",
		"shedding: {keep: [1]}":                      "shedding.keep: ",
		"shedding: {keep: [0]}":                      "shedding.keep: ",
		"shedding: {keep: [0.5], lag: 30s}":          "shedding: ",
		"shedding: {keep: [0.5], for: 10s}":          "shedding: ",
	} {
		c := Default()
		if err := Parse([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if want == "" && strings.Contains(text, "data") && len(c.Shedding.Keep) > 0 {
			t.Error("there is a plan by default")
		}
		if err := c.Validate(); want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
