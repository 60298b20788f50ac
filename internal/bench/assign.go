package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/door"
	"github.com/assay-dev/assay/internal/access/tokenfile"
	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/ofrep"
	"github.com/assay-dev/assay/internal/realofrep"
	"github.com/assay-dev/assay/internal/web"
)

// assignable is an experiment of two halves for who is in Germany or Austria.
func assignable(key string, system experiment.System) experiment.Experiment {
	now := time.Now().UTC()
	return experiment.Experiment{
		Key: key, UnitKind: "user", Control: "control",
		Assignment: &experiment.Assignment{System: system, Seed: key, Eligible: []experiment.Audience{{"country": {"DE", "AT"}}}},
		Variants:   []experiment.Variant{{Key: "control", Share: 0.5}, {Key: "treatment", Share: 0.5}},
		Iterations: []experiment.Iteration{{Number: 1, Start: now.Add(-time.Hour), End: now.Add(time.Hour),
			Phases: []experiment.Phase{{Number: 1, From: now.Add(-time.Hour), Shares: []float64{0.5, 0.5}, Traffic: 1}}}},
	}
}

// held is a configuration that does not change.
type held struct{ set *assignment.Set }

// Now implements ofrep.Source.
func (h held) Now() (*assignment.Set, <-chan struct{}) { return h.set, nil }

// benchAssign measures assigning: a decision alone, computing other systems' anew, and
// answers over HTTP behind a door with a login; beside flagd's evaluator for Node.js.
func benchAssign(ctx context.Context, dir string, o options, r *report) error {
	v := &experiment.Version{Number: 1}
	for i := range 10 {
		v.Experiments = append(v.Experiments, assignable(fmt.Sprintf("cta-%d", i), experiment.Assay))
	}
	set := assignment.SetOf(v, nil, time.Now())
	attributes := map[string]string{"country": "DE"}
	lines := []string{"ON ONE CORE\tNANOSECONDS\tA SECOND", line("assay: a decision with a rule on an attribute", timed(o.assign, func(unit string) { set.Plans[0].Decide(unit, attributes) }))}
	for _, s := range []experiment.System{experiment.GrowthBook, experiment.Unleash, experiment.FlagdV2, experiment.LaunchDarkly, experiment.Eppo} {
		e := assignable("cta", s)
		seen := assignment.Seen{At: time.Now(), UnitKind: "user", Variant: "control"}
		lines = append(lines, line("computing "+string(s)+"'s anew", timed(o.assign, func(unit string) {
			seen.Unit = unit
			assignment.Recompute(&e, seen)
		})))
	}
	peer, err := flagdCore(ctx)
	if err != nil {
		return err
	}
	if peer > 0 {
		lines = append(lines, line("flagd-core 4.0.1 in Node.js: the same rule and split", peer))
	}
	r.say("\nASSIGNING, 1,024 units again and again")
	r.table(lines...)
	return benchOFREP(ctx, dir, o, set, r)
}

func line(what string, each time.Duration) string {
	return fmt.Sprintf("%s\t%d\t%.0f", what, each.Nanoseconds(), float64(time.Second)/float64(each))
}

// timed is what one of many calls takes, for as long as was asked.
func timed(long time.Duration, f func(unit string)) time.Duration {
	units := make([]string, 1024)
	for i := range units {
		units[i] = fmt.Sprint("user-", i)
	}
	n, began := 0, time.Now()
	for time.Since(began) < long {
		for _, u := range units {
			f(u)
		}
		n += len(units)
	}
	return time.Since(began) / time.Duration(n)
}

// flagdCore is what an evaluation takes in flagd's own library; 0 without Node.js.
func flagdCore(ctx context.Context) (time.Duration, error) {
	root, err := os.Getwd()
	if err != nil {
		return 0, fmt.Errorf("find the checkout: %w", err)
	}
	programs, lacking := realofrep.Find(root)
	if lacking != nil {
		return 0, nil //nolint:nilerr // `make bench` fetches them where it can
	}
	out, err := programs.Run(ctx, filepath.Join(root, "internal", "realofrep", "clients", "flagd.mjs"))
	if err != nil {
		return 0, err
	}
	var said struct {
		Nanoseconds     float64
		Variant, Reason string
	}
	if err := json.Unmarshal(out, &said); err != nil || said.Reason != "TARGETING_MATCH" {
		return 0, fmt.Errorf("flagd-core answered %s: %w", out, errors.Join(err, errors.New("that is no split")))
	}
	return time.Duration(said.Nanoseconds), nil
}

// benchOFREP asks over loopback: as fast as it goes, then at a steady rate.
func benchOFREP(ctx context.Context, dir string, o options, set *assignment.Set, r *report) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	url, secret, err := serveOFREP(ctx, dir, set)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	defer client.CloseIdleConnections()
	lines := []string{"OVER HTTP, WITH A TOKEN\trequests/s\tmedian\tp99\tmost"}
	for _, path := range []string{"/cta-0", ""} {
		what := map[bool]string{true: "one flag", false: "all ten"}[path != ""]
		for _, rate := range []int{0, steady} {
			took, long, err := pour(ctx, client, url+path, secret, rate, o.assign*4)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s, %d clients as fast as they can", what, askers)
			if rate > 0 {
				name = fmt.Sprintf("%s, %d a second", what, rate)
			}
			lines = append(lines, fmt.Sprintf("%s\t%.0f\t%v\t%v\t%v", name, float64(len(took))/long.Seconds(), fine(took, 0.5), fine(took, 0.99), fine(took, 1)))
		}
	}
	r.say("\nclients and server share this machine's cores; a time at a steady rate counts from when the request was due")
	r.table(lines...)
	return nil
}

func fine(took []time.Duration, share float64) time.Duration {
	return quantile(took, share).Round(10 * time.Microsecond)
}

const (
	askers = 16
	steady = 2000 // requests a second
)

func serveOFREP(ctx context.Context, dir string, set *assignment.Set) (url, secret string, err error) {
	secret, kept, err := access.Order{Name: "bench", Role: access.Evaluator, For: time.Hour}.Make(rand.Reader, time.Now())
	if err != nil {
		return "", "", fmt.Errorf("make a token: %w", err)
	}
	tokens := tokenfile.Open(filepath.Join(dir, "tokens.json"))
	if err := tokens.Add(kept); err != nil {
		return "", "", fmt.Errorf("keep a token: %w", err)
	}
	registry, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	server, err := ofrep.New(ofrep.Config{Source: held{set}, Metrics: registry, Log: log})
	if err != nil {
		return "", "", err
	}
	d, err := door.New(door.Config{Login: true, Session: time.Hour, Tokens: tokens, Experiments: nobodys{}, Metrics: registry, Log: log})
	if err != nil {
		return "", "", err
	}
	w, err := web.Listen(ctx, web.Config{Listen: "127.0.0.1:0", Gatherer: registry, Pages: server.Routes(), Door: d, Log: log})
	if err != nil {
		return "", "", err
	}
	go func() { _ = w.Run(ctx) }() // ends with the context
	return "http://" + w.Addr() + "/ofrep/v1/evaluate/flags", secret, nil
}

// nobodys knows no owner.
type nobodys struct{}

// Owner implements access.Lookup.
func (nobodys) Owner(context.Context, string) (string, error) { return "", nil }

// Readers implements access.Lookup.
func (nobodys) Readers(context.Context, string) ([]string, error) { return nil, nil }

// pour asks for a while: at a rate, or with 0 as fast as the clients can.
func pour(ctx context.Context, client *http.Client, url, secret string, rate int, long time.Duration) (took []time.Duration, lasted time.Duration, err error) {
	var mu sync.Mutex
	var group errgroup.Group
	began := time.Now()
	for asker := range askers {
		group.Go(func() error {
			var own []time.Duration
			for n := asker; time.Since(began) < long; n += askers {
				due := time.Now()
				if rate > 0 {
					due = began.Add(time.Duration(n) * time.Second / time.Duration(rate))
					pause(ctx, time.Until(due))
				}
				if err := evaluate(ctx, client, url, secret, n); err != nil {
					return err
				}
				own = append(own, time.Since(due))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
			return nil
		})
	}
	err = group.Wait()
	return took, time.Since(began), err
}

func evaluate(ctx context.Context, client *http.Client, url, secret string, n int) error {
	body := fmt.Sprintf(`{"context":{"targetingKey":"user-%d","country":"DE"}}`, n)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	answer, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), `"reason":"SPLIT"`) {
		return fmt.Errorf("%s answered %s: %w", url, answer.Status, errors.Join(err, errors.New("no split")))
	}
	return nil
}
