package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/peer"
	"github.com/assay-dev/assay/internal/realalertmanager"
)

// faster is how much shorter than the shipped ones the rules' times are here, and
// longest the most that an alert waits.
const (
	faster  = 60
	longest = 4 * time.Second
)

type trouble struct {
	series    string
	from, per float64
}

// troubles provoke every alert but those of nobody being there. Each grows from a
// number, by so much a second.
var troubles = []trouble{
	{`assay_ingest_shard_ok{shard="1"}`, 0, 0},
	{`assay_ingest_freshness_seconds{shard="1"}`, 90, 0},
	{`assay_ingest_lag_records{shard="1"}`, 20000, 100},
	{`assay_ingest_shard_restarts_total{reason="lost"}`, 0, 5},
	{`assay_ingest_records_total{topic="assay.outcomes",fate="accepted"}`, 0, 900},
	{`assay_ingest_records_total{topic="assay.outcomes",fate="dead"}`, 0, 50},
	{`assay_ingest_records_total{topic="assay.outcomes",fate="misplaced"}`, 0, 50},
	{`assay_ingest_records_total{topic="assay.outcomes",fate="gap"}`, 7, 0},
	{`assay_reconciliation_difference{shard="1",topic="assay.outcomes"}`, 3, 0},
	{`assay_ingest_unknown_experiment_total{topic="assay.exposures"}`, 1, 0},
	{`assay_guard_last_round_timestamp_seconds`, 1, 0},
	{`assay_guard_round_failures_total`, 0, 1},
	{`assay_guard_sums_differ_total`, 1, 0},
	{`assay_ingest_ledger_back_total`, 1, 0},
	{`assay_guard_look_seconds_bucket{le="1"}`, 0, 0},
	{`assay_guard_look_seconds_bucket{le="2.5"}`, 0, 5},
	{`assay_guard_look_seconds_bucket{le="+Inf"}`, 0, 5},
	{`assay_guard_blind_seconds_total{experiment="button"}`, 0, 1},
	{`assay_guardrail_verdict{experiment="button",guardrail="errors",arm="treatment",verdict="breached"}`, 1, 0},
	{`assay_guard_decisions_total{act="notify",reason="srm"}`, 1, 0},
	{`assay_placebo_suspect{experiment="button",metric="errors"}`, 1, 0},
	{`assay_guard_exposures_aside{experiment="button",why="unknown_variant"}`, 5, 10},
	{`assay_guard_snoozed{experiment="button"}`, 1, 0},
	{`assay_experiment_due{experiment="button",what="review"}`, 1, 0},
	{`assay_experiment_due{experiment="button",what="left_on"}`, 1, 0},
	{`assay_experiment_due{experiment="button",what="held"}`, 1, 0},
	{`assay_guard_notifications_total{channel="slack",outcome="failed"}`, 1, 0},
	{`assay_guard_kills_total{outcome="decided"}`, 10, 0},
	{`assay_guard_kills_total{outcome="failed"}`, 1, 0},
	{`assay_guard_kills_total{outcome="pending_approval"}`, 1, 0},
	{`assay_guard_kills_total{outcome="held"}`, 1, 0},
	{`assay_guard_kills_total{outcome="not_effective"}`, 1, 0},
	{`assay_guard_kills_total{outcome="verified"}`, 1, 0},
	{`assay_guard_sheds_total`, 0, 1},
	{`assay_ramp_moves_total{move="revert",outcome="decided"}`, 0, 1},
	{`assay_ramp_moves_total{move="revert",outcome="failed"}`, 0, 1},
	{`assay_ramp_held{experiment="button",reason="drift"}`, 1, 0},
	{`assay_ramp_held{experiment="banner",reason="signal"}`, 1, 0},
	{`assay_signal_breaker{experiment="banner",signal="p99",state="unknown"}`, 1, 0},
	{`assay_assignment_age_seconds`, 40, 1},
	{`assay_ingest_last_report_timestamp_seconds`, 1, 0},
	{`assay_backup_complete_timestamp_seconds`, 1, 0},
	{`assay_backup_failed`, 1, 0},
	{`assay_clickhouse_errors_total{code="246"}`, 0, 50},
}

// TestAlertmanagerHears has a real Prometheus judge the shipped rules, with shorter
// times, over pages that provoke each alert, and sees every one of them arrive at a
// real Alertmanager: first with nobody there, then with everything in trouble. All
// queries of the dashboard find something then.
func TestAlertmanagerHears(t *testing.T) {
	program := filepath.Join(filepath.Dir(promtool(t)), "prometheus")
	if _, err := os.Stat(program); err != nil {
		lacking(t, fmt.Sprintf("promtool is here without a Prometheus: %v", err))
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	alertmanager := realalertmanager.For(t, receiver.URL)

	others := untroubled(registered(t))
	var begun atomic.Int64 // when the troubles did, 0 before
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if at := begun.Load(); at != 0 {
			_, _ = w.Write([]byte(pageOf(others, time.Since(time.Unix(0, at)).Seconds())))
		}
	}))
	t.Cleanup(page.Close)
	prometheus := startPrometheus(t, program, alertmanager.URL, page.URL)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	heard := map[string]realalertmanager.Alert{}
	listen := func(want ...string) error {
		all, err := alertmanager.Alerts(t.Context())
		if err != nil {
			return err
		}
		for _, a := range all {
			heard[a.Labels["alertname"]] = a
		}
		for _, name := range want {
			if _, ok := heard[name]; !ok {
				return fmt.Errorf("%s was not heard, only %v", name, slices.Sorted(maps.Keys(heard)))
			}
		}
		return nil
	}
	eventually(ctx, t, "nobody is there", func() error { return listen("AssayNoConsumer", "AssayNoGuard", "AssayTargetDown") })
	begun.Store(time.Now().UnixNano())
	var names []string
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
	}
	eventually(ctx, t, "everything is in trouble", func() error { return listen(names...) })
	for _, a := range alerts(t) {
		got := heard[a.Alert]
		if got.Labels["severity"] != a.Labels["severity"] || got.Annotations["runbook_url"] != runbookURL+a.Alert+".md" {
			t.Errorf("%s arrived as %v, %v", a.Alert, got.Labels, got.Annotations)
		}
		if text := got.Annotations["summary"] + got.Annotations["description"]; text == "" || strings.Contains(text, "error expanding") || strings.Contains(text, "no value") {
			t.Errorf("%s says %q", a.Alert, text)
		}
	}
	for _, expr := range newDashboard(registered(t)).exprs() {
		expr = strings.NewReplacer("$__rate_interval", "10s", "$experiment", ".*", "$shard", ".*").Replace(expr)
		eventually(ctx, t, "a panel shows something", func() error { return answered(ctx, prometheus, expr) })
	}
}

// pageOf is what Prometheus reads so many seconds after the troubles began: them, and
// others that grow by one a second.
func pageOf(others []string, seconds float64) string {
	var b strings.Builder
	for _, s := range troubles {
		fmt.Fprintf(&b, "%s %v\n", s.series, s.from+s.per*seconds)
	}
	for _, series := range others {
		fmt.Fprintf(&b, "%s %v\n", series, seconds)
	}
	return b.String()
}

// untroubled is a series of each metric that the troubles leave out.
func untroubled(all map[string][]metric) (out []string) {
	for _, list := range all {
		for _, m := range list {
			if slices.ContainsFunc(troubles, func(s trouble) bool {
				return regexp.MustCompile(`^` + m.name + `(_bucket)?(\{|$)`).MatchString(s.series)
			}) {
				continue
			}
			var labels []string
			for _, l := range m.labels {
				labels = append(labels, l+`="x"`)
			}
			if m.kind != "histogram" {
				out = append(out, m.name+"{"+strings.Join(labels, ",")+"}")
				continue
			}
			out = append(out, m.name+"_sum{"+strings.Join(labels, ",")+"}")
			for _, le := range []string{`le="0.5"`, `le="+Inf"`} {
				out = append(out, m.name+"_bucket{"+strings.Join(append(labels, le), ",")+"}")
			}
		}
	}
	return out
}

// startPrometheus starts a server with the shipped rules that scrapes a page and a
// process that is not there, and returns its address.
func startPrometheus(t *testing.T, program, alertmanager, page string) string {
	t.Helper()
	dir := t.TempDir()
	host := func(address string) string { return strings.TrimPrefix(address, "http://") }
	config := fmt.Sprintf(`global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}
rule_files: [alerts.yml, recording.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - {job_name: assay, static_configs: [{targets: [%q, "127.0.0.1:1"]}]}
  - {job_name: itself, static_configs: [{targets: [SELF]}]}
`, host(alertmanager), host(page))
	for name, text := range map[string]string{
		"alerts.yml": hurried(t, string(read(t, "prometheus/alerts.yml"))), "recording.yml": string(read(t, "prometheus/recording.yml")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var err error
	for range 3 { // the port was free a moment before
		var ports []int
		if ports, err = peer.Ports(1); err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("127.0.0.1:%d", ports[0])
		if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(strings.Replace(config, "SELF", `"`+address+`"`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		var process *peer.Process
		process, err = peer.Start(exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"),
			"--rules.alert.resend-delay=1s", // it knows the Alertmanager some seconds later than it judges
			"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address), filepath.Join(dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { process.Stop(syscall.SIGTERM, 5*time.Second) })
		if err = process.Await(ctx, func(ctx context.Context) error { return get(ctx, "http://"+address+"/-/ready", "") }); err == nil {
			return "http://" + address
		}
	}
	t.Fatalf("Prometheus does not start: %v\n%s", err, peer.Tail(filepath.Join(dir, "log")))
	return ""
}

// hurried makes every time of the rules shorter.
func hurried(t *testing.T, text string) string {
	t.Helper()
	times := regexp.MustCompile(`(\bfor: |\[|\boffset )(\d+(?:s|m|h))\b`)
	if n := len(times.FindAllString(text, -1)); n < 40 {
		t.Fatalf("found only %d times in the rules", n)
	}
	return times.ReplaceAllStringFunc(text, func(found string) string {
		m := times.FindStringSubmatch(found)
		d, err := time.ParseDuration(m[2])
		if err != nil {
			t.Fatal(err)
		}
		d /= faster
		if m[1] == "for: " {
			d = min(d, longest)
		}
		return fmt.Sprintf("%s%dms", m[1], d.Milliseconds())
	})
}

// answered wants a query to find at least one series.
func answered(ctx context.Context, prometheus, expr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, prometheus+"/api/v1/query?query="+url.QueryEscape(expr), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if len(answer.Data.Result) == 0 {
		return fmt.Errorf("%s finds nothing %s", expr, answer.Error)
	}
	return nil
}
