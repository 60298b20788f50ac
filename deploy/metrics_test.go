package deploy_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/door"
	"github.com/assay-dev/assay/internal/access/tokenfile"
	"github.com/assay-dev/assay/internal/announce"
	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/notify"
	"github.com/assay-dev/assay/internal/ofrep"
	"github.com/assay-dev/assay/internal/watch"
)

// metric is one that the code registers.
type metric struct {
	name, help, kind string
	labels           []string
}

// registry takes down what is registered with it. A real one would tell only of
// metrics that have counted something.
type registry struct{ found []metric }

// Register implements prometheus.Registerer.
func (r *registry) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc, 16)
	c.Describe(descriptions)
	close(descriptions)
	for d := range descriptions {
		m, err := describe(d)
		if err != nil {
			return err
		}
		m.kind = kindOf(c)
		r.found = append(r.found, m)
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (r *registry) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister implements prometheus.Registerer.
func (r *registry) Unregister(prometheus.Collector) bool { return false }

// describe reads a description's only public form.
func describe(d *prometheus.Desc) (metric, error) {
	m := regexp.MustCompile(`^Desc\{fqName: "(.*?)", help: "(.*?)",(?: unit: ".*?",)? constLabels: \{\}, variableLabels: \{(.*?)\}`).FindStringSubmatch(d.String())
	if m == nil {
		return metric{}, fmt.Errorf("cannot read the description %s", d)
	}
	return metric{name: m[1], help: m[2], labels: strings.FieldsFunc(m[3], func(r rune) bool { return r == ',' })}, nil
}

func kindOf(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec:
		return "gauge"
	case *prometheus.HistogramVec:
		return "histogram"
	case prometheus.Gauge: // before Counter, whose methods it has too
		return "gauge"
	case prometheus.Counter:
		return "counter"
	case prometheus.Histogram:
		return "histogram"
	case prometheus.GaugeFunc: // a counter's looks the same, and there is none
		return "gauge"
	}
	return fmt.Sprintf("%T", c)
}

// registered makes the real consumer and the real guard, and returns what each
// registers, by process.
func registered(t *testing.T) map[string][]metric {
	t.Helper()
	consumer, guard := &registry{}, &registry{}
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Registerer = []string{"127.0.0.1:1"}, consumer
	if _, err := kafka.New(cfg, nil); err != nil {
		t.Fatal(err)
	}
	stage := kafka.DefaultRekeyConfig()
	stage.Brokers, stage.Topic, stage.Partitions, stage.Convert, stage.Registerer = cfg.Brokers, "t", 1, kafka.ConvertNative(), consumer
	if _, err := kafka.NewRekey(stage); err != nil {
		t.Fatal(err)
	}
	if _, err := watch.New(watch.DefaultConfig(), watch.Parts{ // never run, so its parts are never called
		Versions: struct{ watch.Versions }{}, Journal: struct{ watch.Journal }{}, Ledger: struct{ watch.Ledger }{},
		Looks: struct{ watch.Looks }{}, Switch: struct{ watch.Switch }{}, Metrics: guard,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := app.NewGuardLedger(nil, guard); err != nil {
		t.Fatal(err)
	}
	if _, err := notify.New(notify.Config{Metrics: guard}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := watch.NewPlaceboGauges(guard); err != nil {
		t.Fatal(err)
	}
	if _, err := app.NewBackupGauges(guard); err != nil {
		t.Fatal(err)
	}
	if err := app.RegisterSignals(guard); err != nil {
		t.Fatal(err)
	}
	if err := app.RegisterReminders(guard); err != nil {
		t.Fatal(err)
	}
	if _, err := announce.New(announce.Config{Topic: "t", Brokers: cfg.Brokers, Metrics: guard}, nil); err != nil {
		t.Fatal(err)
	}
	serve := &registry{}
	if _, err := door.New(door.Config{Tokens: tokenfile.Open("none"), Experiments: struct{ access.Lookup }{}, Log: slog.New(slog.DiscardHandler), Metrics: serve}); err != nil {
		t.Fatal(err)
	}
	if _, err := app.NewTargeting(nil, serve, time.Now); err != nil {
		t.Fatal(err)
	}
	if _, err := ofrep.New(ofrep.Config{Source: struct{ ofrep.Source }{}, Metrics: serve, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := app.RegisterFaults(serve); err != nil {
		t.Fatal(err)
	}
	return map[string][]metric{"ingest": consumer.found, "guard": guard.found, "serve": serve.found}
}

// TestMetricsPage holds docs/metrics.md against what is registered; -update
// writes it.
func TestMetricsPage(t *testing.T) {
	all := registered(t)
	var b strings.Builder
	b.WriteString(`# Metrics

This page is generated from the code: ` + "`go test ./deploy -run TestMetricsPage -update`" + `. Each process serves its metrics at ` + "`/metrics`" + ` of its ` + "`listen`" + ` address, beside those of the Go runtime (` + "`go_*`, `process_*`" + `); ` + "`assay run`" + ` serves all tables at once, and the door's and those of ClickHouse's errors stand in each. Alerts on them: [operations.md](operations.md#alerts).
`)
	for _, process := range []string{"ingest", "guard", "serve"} {
		fmt.Fprintf(&b, "\n## assay %s\n\n| metric | kind | labels | what it says |\n|---|---|---|---|\n", process)
		slices.SortFunc(all[process], func(a, b metric) int { return strings.Compare(a.name, b.name) })
		for _, m := range all[process] {
			labels := ""
			if len(m.labels) > 0 {
				labels = "`" + strings.Join(m.labels, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, labels, m.help)
		}
	}
	matches(t, "metrics.md", b.String())
}

// matches holds a page, or a generated part of one, against what it should be;
// -update writes it.
func matches(t *testing.T, page, want string) {
	t.Helper()
	golden.File(t, doc(t, page), []byte(want))
}

// matchesPart is matches for what stands between the comments <!-- part --> and
// <!-- /part --> of a page.
func matchesPart(t *testing.T, page, part, want string) {
	t.Helper()
	text := string(read(t, doc(t, page)))
	between := regexp.MustCompile(`(?s)<!-- ` + part + ` -->.*<!-- /` + part + ` -->`)
	if !between.MatchString(text) {
		t.Fatalf("docs/%s has no place for the part %s", page, part)
	}
	matches(t, page, between.ReplaceAllLiteralString(text, want))
}
