package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/realofrep"
	"github.com/assay-dev/assay/internal/watch"
)

// clientFiles are experiments with every type of value and every reason.
var clientFiles = map[string]string{
	"truth":   "assignment: {system: assay, values: {a: false, b: true}}",
	"word":    "assignment: {system: assay}",
	"number":  "assignment: {system: assay, values: {a: 1, b: 12.5}}",
	"germany": "assignment: {system: assay, eligible: [{country: DE, beta: true}]}",
	"ramp":    "assignment: {system: assay}\niterations: [{phases: [{traffic: 0%}]}]",
	"killed":  "assignment: {system: assay, values: {a: false, b: true}}",
}

// TestClients: what `serve` answers is understood by OpenFeature's own clients, each of
// them, behind a login: every type of value, every reason, metadata, and what is wrong.
func TestClients(t *testing.T) {
	programs := realofrep.Available(t)
	s := newStack(t)
	s.Config = config.Default()
	s.Config.Data, s.Config.Reports, s.Config.Listen = t.TempDir(), t.TempDir(), "127.0.0.1:0"
	s.Config.Access.Login, s.Config.Access.Tokens = true, filepath.Join(t.TempDir(), "tokens.json")
	files := []experiment.File{{Name: "sales.yaml", Data: []byte("name: sales\nowner: growth\nevent: buy\nkind: proportion\ndirection: increase\n")}}
	for key, more := range clientFiles {
		files = append(files, experiment.File{Name: key + ".yaml", Data: []byte("key: " + key + "\nowner: o\nvariants: {a: 50%, b: 50%}\ncontrol: a\ngoals: [sales]\n" + more)})
	}
	set, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), set, "somebody", time.Now); err != nil {
		t.Fatal(err)
	}
	hand, err := s.Hand("ada")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hand.Kill(t.Context(), watch.Off{Named: watch.Named{Experiment: "killed"}, Reason: "harm"}); err != nil {
		t.Fatal(err)
	}
	secret, kept, err := access.Order{Name: "shop", Role: access.Evaluator, For: time.Hour}.Make(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := Tokens(s.Config).Add(kept); err != nil {
		t.Fatal(err)
	}
	url := serveDoor(t, s)
	for name, ask := range programs.Clients() {
		t.Run(name, func(t *testing.T) {
			asked, want := clientQuestions(name)
			told, err := ask(t.Context(), url, secret, asked)
			if err != nil {
				t.Fatal(err)
			}
			for i := range told { // only these two are looked at: Java has no list of them
				told[i].Metadata = map[string]any{"inExperiment": told[i].Metadata["inExperiment"], "configVersion": told[i].Metadata["configVersion"]}
				if v, ok := told[i].Metadata["configVersion"].(float64); ok {
					told[i].Metadata["configVersion"] = v > 0
				}
			}
			if d := cmp.Diff(want, told); d != "" {
				t.Errorf("-want +told:\n%s", d)
			}
			told, err = ask(t.Context(), url, "assay_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", asked[:1])
			if err == nil && (len(told) != 1 || told[0].Error == "" || told[0].Value != asked[0].Default) {
				t.Errorf("with a token that is not known: %+v", told)
			}
		})
	}
}

// serveDoor opens the door for as long as the test runs.
func serveDoor(t *testing.T, s *Stack) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	door, err := s.Web(ctx, WebOptions{Registry: prometheus.NewRegistry(), User: "ada", Audit: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- door.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + door.Addr()
}

// clientQuestions are what is asked, and what a client shall make of the answers.
func clientQuestions(client string) (asked []realofrep.Question, want []realofrep.Told) {
	add := func(flag, unit string, fallback any, attributes map[string]any, told realofrep.Told) {
		if attributes == nil {
			attributes = map[string]any{}
		}
		asked = append(asked, realofrep.Question{Flag: flag, Unit: unit, Default: fallback, Attributes: attributes})
		want = append(want, told)
	}
	answer := func(value any, variant, reason string) realofrep.Told {
		return realofrep.Told{Value: value, Variant: variant, Reason: reason, Metadata: map[string]any{"inExperiment": reason == "SPLIT", "configVersion": true}}
	}
	failed := func(value any, code string) realofrep.Told {
		return realofrep.Told{Value: value, Reason: "ERROR", Error: code, Metadata: map[string]any{"inExperiment": nil, "configVersion": nil}}
	}
	for i := range 6 {
		unit := fmt.Sprint("ü-日-", i)
		value := func(flag string, a, b any) realofrep.Told {
			if assignment.Draw(flag+":1", assignment.Variant, "user", unit) < experiment.Million/2 {
				return answer(a, "a", "SPLIT")
			}
			return answer(b, "b", "SPLIT")
		}
		add("truth", unit, false, nil, value("truth", false, true))
		add("word", unit, "", nil, value("word", "a", "b"))
		add("number", unit, 0.5, nil, value("number", 1.0, 12.5))
		add("germany", unit, "", map[string]any{"country": "DE", "beta": true}, value("germany", "a", "b"))
		add("germany", unit, "", map[string]any{"country": "FR", "beta": true}, answer("a", "a", "DEFAULT"))
	}
	add("ramp", "u-1", "", nil, answer("a", "a", "DEFAULT"))
	add("killed", "u-1", true, nil, answer(false, "a", "DISABLED"))
	nobody := failed(true, "FLAG_NOT_FOUND")
	if client == "web" { // of the bulk answer
		nobody.Metadata["configVersion"] = true
	}
	add("nobody", "u-1", true, nil, nobody)
	missing := "TARGETING_KEY_MISSING"
	if client == "java" {
		missing = "INVALID_CONTEXT"
	}
	if client != "web" { // it keeps what it was told of the context before
		add("word", "", "x", nil, failed("x", missing))
	}
	return asked, want
}
