package deploy_test

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/assay-dev/assay/internal/config"
)

// What is deployed is a program, its configuration and its environment. None of the
// deployments can be run as a whole here, so these tests hold the three against one
// another as the program itself does at a start.

// sample is a value for a variable: what the program takes for it.
func sample(name string) string {
	if name == "ASSAY_UNIT_KEY" {
		return "000102030405060708090a0b0c0d0e0f"
	}
	return "something secret"
}

// checked has the program check a configuration with these variables and no others of
// assay's.
func checked(t *testing.T, text string, names []string) (said string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "assay.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var env []string
	for _, name := range names {
		env = append(env, name+"="+sample(name))
	}
	return run(t.Context(), assay(t), env, "--config", file, "config", "check")
}

// startsWith wants a configuration to be right in an environment, and not without any one
// of the variables that it names.
func startsWith(t *testing.T, where, text string, names []string) {
	t.Helper()
	if said, err := checked(t, text, names); err != nil {
		t.Errorf("%s does not start with %v: %v\n%s", where, names, err, said)
		return
	}
	needed := 0
	for _, name := range names {
		if !strings.Contains(text, name) {
			continue
		}
		needed++
		rest := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		if said, err := checked(t, text, rest); err == nil || !strings.Contains(said, name) {
			t.Errorf("%s starts without %s: %v\n%s", where, name, err, said)
		}
	}
	if needed < 2 {
		t.Errorf("%s: only %d of %v are named by the configuration", where, needed, names)
	}
}

// passwordsOf are the variables that a command line names.
func passwordsOf(args []string) (out []string) {
	for i, a := range args {
		if a == "--password-env" {
			out = append(out, args[i+1])
		}
	}
	return out
}

// TestComposeStarts: each of our services has every variable that its configuration and
// its command line name.
func TestComposeStarts(t *testing.T) {
	text := string(read(t, "compose/assay.yaml"))
	n := 0
	for name, s := range services(t) {
		if s.Build == nil {
			continue
		}
		n++
		names := slices.Sorted(maps.Keys(s.Environment))
		startsWith(t, "compose service "+name, text, names)
		for _, variable := range passwordsOf(s.arguments(t)) {
			if !slices.Contains(names, variable) {
				t.Errorf("compose service %s is not given %s", name, variable)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d services of ours", n)
	}
}

// TestUnitsStart: the environment that the guide has people write is what the units'
// configurations need.
func TestUnitsStart(t *testing.T) {
	line := regexp.MustCompile("(?m)^\\| `environment` .*$").FindString(string(read(t, doc(t, "operations.md"))))
	names := regexp.MustCompile(`ASSAY_\w+`).FindAllString(line, -1)
	for _, file := range []string{"systemd/ingest.yaml", "systemd/guard.yaml", "systemd/serve.yaml"} {
		startsWith(t, file, string(read(t, file)), names)
	}
	for _, unit := range units(t) {
		m := regexp.MustCompile(`--config /etc/assay/(\w+\.yaml)`).FindSubmatch(read(t, unit))
		if m == nil {
			t.Errorf("%s names no configuration", unit)
			continue
		}
		if _, err := os.Stat(filepath.Join("systemd", string(m[1]))); err != nil {
			t.Errorf("%s: %v", unit, err)
		}
	}
}

// TestChartStarts: the variables of the secrets that the guide has people make are what
// the chart's configurations and commands need.
func TestChartStarts(t *testing.T) {
	secrets := map[string][]string{}
	for _, m := range regexp.MustCompile(`create secret generic (\S+) (.*)`).FindAllStringSubmatch(string(read(t, doc(t, "operations.md"))), -1) {
		for _, v := range regexp.MustCompile(`--from-literal=(\w+)=`).FindAllStringSubmatch(m[2], -1) {
			secrets[m[1]] = append(secrets[m[1]], v[1])
		}
	}
	all := objects(t, rendered(t, "helm/assay/ci/values.yaml"))
	for _, o := range all {
		if text, ok := o.Data["assay.yaml"]; ok {
			startsWith(t, "the chart's "+o.Metadata.Name, text, secrets["assay"])
		}
		for _, c := range o.Spec.Template.Spec.Containers {
			for _, variable := range passwordsOf(c.Args) {
				if !slices.Contains(secrets["assay-admin"], variable) {
					t.Errorf("%s needs %s, which no secret of the guide has", o.Metadata.Name, variable)
				}
			}
		}
	}
}

// TestPorts: what others ask is where the processes listen: scrapes, probes, published
// ports, and the servers that they ask themselves.
func TestPorts(t *testing.T) {
	c, err := config.Load("compose/assay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, listen, err := net.SplitHostPort(c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	all := services(t)
	reached := func(what, address, port string) {
		t.Helper()
		host, at, err := net.SplitHostPort(address)
		if _, known := all[host]; err != nil || !known || port != "" && at != port {
			t.Errorf("%s: %s is no service at that port (%s), %v", what, address, port, err)
		}
		if port == listen && !slices.Contains(c.Access.Hosts, host) {
			t.Errorf("%s: %s is refused, since access.hosts does not have it", what, address)
		}
	}
	var prometheus struct {
		Scrapes []struct {
			Job    string                       `yaml:"job_name"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
		Alerting struct {
			To []struct {
				Static []struct{ Targets []string } `yaml:"static_configs"`
			} `yaml:"alertmanagers"`
		}
	}
	if err := yaml.Unmarshal(read(t, "prometheus/prometheus.yml"), &prometheus); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range prometheus.Scrapes {
		for _, static := range s.Static {
			for _, target := range static.Targets {
				n++
				reached("scrape of "+s.Job, target, listen)
			}
		}
	}
	if n != 3 || len(prometheus.Alerting.To) == 0 {
		t.Errorf("%d targets, alertmanagers %v", n, prometheus.Alerting.To)
	}
	reached("alerts", prometheus.Alerting.To[0].Static[0].Targets[0], "9093")
	for _, b := range c.Kafka.Brokers {
		reached("kafka.brokers", b, "9092")
		if !strings.Contains(all["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"], "//"+b) {
			t.Errorf("the broker does not call itself %s", b)
		}
	}
	for _, a := range c.ClickHouse.Addresses {
		reached("clickhouse.addresses", a, "9000")
	}
	if m := c.Notify.Alertmanager; m == nil || m.URL != "http://"+prometheus.Alerting.To[0].Static[0].Targets[0] {
		t.Errorf("the guard tells %+v", m)
	}
	if want := "127.0.0.1:8344:" + listen; !slices.Equal(all["serve"].Ports, []string{want}) {
		t.Errorf("serve is published as %v, want %s", all["serve"].Ports, want)
	}
}

// TestProbes: what the chart has Kubernetes ask is a route, at the port that the
// processes listen on; TestProcesses asks each of a real process.
func TestProbes(t *testing.T) {
	want := map[string]string{"ingest": "/readyz", "guard": "/readyz", "serve": "/readyz?part=assignment"}
	for _, o := range objects(t, rendered(t, "helm/assay/ci/values.yaml")) {
		component := o.Spec.Template.Metadata.Labels["app.kubernetes.io/component"]
		if want[component] == "" {
			continue
		}
		for _, c := range o.Spec.Template.Spec.Containers {
			if got := c.ReadinessProbe.HTTPGet.Path; got != want[component] || c.LivenessProbe.HTTPGet.Path != "/healthz" {
				t.Errorf("%s is asked for %s and %s", component, got, c.LivenessProbe.HTTPGet.Path)
			}
			if fmt.Sprint(c.Ports) != "[{http 8344}]" || c.ReadinessProbe.HTTPGet.Port != "http" || c.LivenessProbe.HTTPGet.Port != "http" {
				t.Errorf("%s: ports %v, asked at %s and %s", component, c.Ports, c.ReadinessProbe.HTTPGet.Port, c.LivenessProbe.HTTPGet.Port)
			}
		}
		delete(want, component)
	}
	if len(want) > 0 {
		t.Errorf("no probes of %v", want)
	}
}
