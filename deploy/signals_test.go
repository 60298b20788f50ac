package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/peer"
	"github.com/assay-dev/assay/internal/promql"
	"github.com/assay-dev/assay/internal/signals"
)

// TestSignalsOfPrometheus asks a real Prometheus, which reads a page of two services, as
// the guard does: numbers come back, and each gap has its reason.
func TestSignalsOfPrometheus(t *testing.T) {
	program := filepath.Join(filepath.Dir(promtool(t)), "prometheus")
	if _, err := os.Stat(program); err != nil {
		lacking(t, fmt.Sprintf("promtool is here without a Prometheus: %v", err))
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("latency_seconds{service=\"checkout\"} 0.25\nlatency_seconds{service=\"search\"} 0.75\nidle 0\n"))
	}))
	t.Cleanup(page.Close)
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n  - {job_name: services, static_configs: [{targets: [%q]}]}\n", strings.TrimPrefix(page.URL, "http://"))
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ports, err := peer.Ports(1)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	process, err := peer.Start(exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address), filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.Stop(syscall.SIGTERM, 5*time.Second) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := promql.New(promql.Config{Address: "http://" + address, Timeout: 5 * time.Second, Health: map[string]string{"prometheus": "http://" + address + "/-/healthy", "none": "http://" + address + "/none"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	eventually(ctx, t, "it has read the page", func() error {
		_, err := client.Value(ctx, "sum(latency_seconds)", time.Now())
		return err
	})
	for query, c := range map[string]struct {
		want float64
		gap  signals.Gap
	}{
		`latency_seconds{service="checkout"}`: {0.25, ""}, "max(latency_seconds)": {0.75, ""}, "scalar(sum(latency_seconds)) * 2": {2, ""}, "42": {42, ""},
		"latency_seconds": {0, signals.ManySeries}, "absent_metric": {0, signals.NoData}, "sum(idle) / sum(idle)": {0, signals.NotANumber},
		"1 / 0": {0, signals.NotANumber}, "sum(": {0, signals.BadQuery}, `"text"`: {0, signals.BadQuery}, "latency_seconds[1m]": {0, signals.BadQuery},
		"latency_seconds * on() latency_seconds": {0, signals.BadQuery},
	} {
		got, err := client.Value(ctx, query, time.Now())
		var f *promql.Fault
		if errors.As(err, &f) != (c.gap != "") || f != nil && f.Gap != c.gap || got != c.want {
			t.Errorf("%s: %v, %v; want %v, %q", query, got, err, c.want, c.gap)
		}
	}
	if _, err := client.Value(ctx, "max(latency_seconds)", time.Now().Add(-time.Hour)); err == nil {
		t.Error("an hour ago there was something already")
	}
	for name, want := range map[string]float64{"prometheus": 1, "none": 0} {
		if got, err := client.Healthy(ctx, name); got != want || err != nil {
			t.Errorf("health of %s: %v, %v; want %v", name, got, err, want)
		}
	}
}
