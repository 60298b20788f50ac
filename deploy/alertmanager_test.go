package deploy_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/realalertmanager"
	"github.com/assay-dev/assay/internal/testref"
)

// amtool checks Alertmanager's configuration. It is built beside the server.
func amtool(t *testing.T) string {
	t.Helper()
	server, err := realalertmanager.Find(testref.Root(t))
	if err != nil {
		lacking(t, err.Error()+"; run make alertmanager")
	}
	return filepath.Join(filepath.Dir(server), "amtool")
}

// TestAlertmanagerConfiguration has Alertmanager's own tool check the file, and ask
// it whom an alert of each severity reaches.
func TestAlertmanagerConfiguration(t *testing.T) {
	const file = "prometheus/alertmanager.yml"
	tool := amtool(t)
	if err := do(t.Context(), ".", tool, "check-config", file); err != nil {
		t.Error(err)
	}
	for _, a := range alerts(t) {
		out, err := exec.CommandContext(t.Context(), tool, "config", "routes", "test", "--config.file="+file,
			"alertname="+a.Alert, "severity="+a.Labels["severity"]).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != a.Labels["severity"] {
			t.Errorf("%s goes to %q: %v", a.Alert, got, err)
		}
	}
}

// TestInhibitionsNameAlerts: a rule that names an alert that is gone silences nothing.
func TestInhibitionsNameAlerts(t *testing.T) {
	known := map[string]bool{}
	for _, a := range alerts(t) {
		known[a.Alert] = true
	}
	names := alertNames.FindAllString(string(read(t, "prometheus/alertmanager.yml")), -1)
	if len(names) < 8 {
		t.Errorf("found only %v", names)
	}
	for _, name := range names {
		if !known[name] {
			t.Errorf("no alert is called %s", name)
		}
	}
}
