package deploy_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/testref"
)

// The versions of deploy/helm/fetch.sh, and those of Kubernetes that the chart is
// held against: the oldest that it is for, and the newest that the validator knows.
const (
	helmVersion      = "v4.3.2"
	validatorVersion = "v0.0.4"
	operatorVersion  = "v0.85.0"
)

var kubernetesVersions = []string{"1.27", "1.30"}

// ofHelm returns what deploy/helm/fetch.sh left in the cache.
func ofHelm(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{testref.Root(t), ".cache", "helm"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		lacking(t, fmt.Sprintf("%v; run make helm", err))
	}
	return path
}

// TestChartTools: other versions than those that are built would never be found, and
// the tests on them be skipped for ever.
func TestChartTools(t *testing.T) {
	script := string(read(t, "helm/fetch.sh"))
	for _, want := range []string{
		"go_programs " + helmVersion + " helm.sh/helm/v4/cmd/helm\n",
		"go_programs " + validatorVersion + " sigs.k8s.io/kubectl-validate\n",
		"prometheus-operator@" + operatorVersion + "\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("deploy/helm/fetch.sh has no line %q", want)
		}
	}
}

// TestChartFiles: the rules of the chart are those of this folder; -update copies
// them. TestDashboard writes the dashboard to both places.
func TestChartFiles(t *testing.T) {
	for _, file := range []string{"prometheus/alerts.yml", "prometheus/recording.yml"} {
		golden.File(t, "helm/assay/files/"+filepath.Base(file), read(t, file))
	}
}

// TestChart has helm lint and render the chart with each of its example values, and
// kubectl-validate hold what comes out against the schemas of Kubernetes and of the
// Prometheus operator. A field that is no field must be found.
func TestChart(t *testing.T) {
	helm := ofHelm(t, helmVersion, "helm")
	examples, err := filepath.Glob("helm/assay/ci/*.yaml")
	if err != nil || len(examples) < 2 {
		t.Fatalf("example values: %v, %v", examples, err)
	}
	for _, values := range examples {
		t.Run(filepath.Base(values), func(t *testing.T) {
			if err := do(t.Context(), ".", helm, "lint", "--strict", "helm/assay", "-f", values); err != nil {
				t.Error(err)
			}
			text := rendered(t, values)
			for _, version := range kubernetesVersions {
				if err := validated(t, text, version); err != nil {
					t.Errorf("Kubernetes %s: %v", version, err)
				}
			}
			if validated(t, strings.Replace(text, "replicas:", "replica:", 1), kubernetesVersions[0]) == nil {
				t.Error("the validator accepts an unknown field, so it checks nothing")
			}
		})
	}
}

// rendered is the chart's text for example values.
func rendered(t *testing.T, values string, more ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), ofHelm(t, helmVersion, "helm"), append([]string{"template", "shop", "helm/assay", "-f", values}, more...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, said(exec.CommandContext(context.Background(), cmd.Path, cmd.Args[1:]...)))
	}
	return string(out)
}

func validated(t *testing.T, text, version string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rendered.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return do(t.Context(), ".", ofHelm(t, validatorVersion, "kubectl-validate"), file,
		"--version", version, "--local-crds", ofHelm(t, "crds-"+operatorVersion))
}

// TestChartRefuses: the schema of the values refuses what would start and not work,
// or would not be safe.
func TestChartRefuses(t *testing.T) {
	helm := ofHelm(t, helmVersion, "helm")
	for set, want := range map[string]string{
		"":                                     "", // the example alone is fine
		"image.repository=":                    "/image/repository",
		"secret.name=":                         "/secret/name",
		"migrate.secret=":                      "/migrate/secret",
		"config.kafka.brokers={}":              "/config/kafka/brokers",
		"config.clickhouse.addresses={}":       "/config/clickhouse/addresses",
		"config.clickhouse.password=plain":     "/config/clickhouse/password",
		"config.listen=0.0.0.0:1":              "/config/listen",
		"config.access.login=false":            "/config/access/login",
		"networkPolicy.serveFrom={}":           "/networkPolicy/serveFrom",
		"ingest.replica=3":                     "replica",
		"ingest.memory=4G":                     "/ingest/memory",
		"image.digest=latest":                  "/image/digest",
		"experiments.button=text":              "experiments",
		"serviceMonitor.interval=often":        "/serviceMonitor/interval",
		"guard.observe=perhaps":                "/guard/observe",
		"podDisruptionBudget.maxUnavailable=2": "maxUnavailable",
	} {
		err := do(t.Context(), ".", helm, "template", "shop", "helm/assay", "-f", "helm/assay/ci/values.yaml", "--set", set)
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, "/")) && !strings.Contains(err.Error(), strings.ReplaceAll(strings.TrimPrefix(want, "/"), "/", ".")) {
			t.Errorf("--set %s is not refused for %s: %v", set, want, err)
		}
	}
}

// object is what these tests read of a rendered resource.
type object struct {
	Kind     string
	Metadata struct {
		Name        string
		Labels      map[string]string
		Annotations map[string]string
	}
	Data map[string]string
	Spec struct {
		Selector any
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     pod
		}
	}
}

type pod struct {
	AutomountServiceAccountToken *bool          `yaml:"automountServiceAccountToken"`
	SecurityContext              map[string]any `yaml:"securityContext"`
	Containers                   []struct {
		Args            []string
		SecurityContext map[string]any `yaml:"securityContext"`
		LivenessProbe   probe          `yaml:"livenessProbe"`
		ReadinessProbe  probe          `yaml:"readinessProbe"`
		Ports           []struct {
			Name string
			Port int `yaml:"containerPort"`
		}
		EnvFrom []struct {
			SecretRef struct{ Name string } `yaml:"secretRef"`
		} `yaml:"envFrom"`
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

func objects(t *testing.T, text string) []object {
	t.Helper()
	var out []object
	for _, part := range regexp.MustCompile(`(?m)^---$`).Split(text, -1) {
		var o object
		if err := yaml.Unmarshal([]byte(part), &o); err != nil {
			t.Fatalf("%v\n%s", err, part)
		}
		if o.Kind != "" {
			out = append(out, o)
		}
	}
	return out
}

// TestChartConfiguration loads every assay.yaml of the chart with the program's own
// reader, which refuses what it does not know.
func TestChartConfiguration(t *testing.T) {
	for _, values := range []string{"helm/assay/ci/values.yaml", "helm/assay/ci/whole-values.yaml"} {
		n := 0
		for _, o := range objects(t, rendered(t, values)) {
			text, ok := o.Data["assay.yaml"]
			if !ok {
				continue
			}
			n++
			file := filepath.Join(t.TempDir(), "assay.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(file)
			if err != nil {
				t.Errorf("%s, %s: %v", values, o.Metadata.Name, err)
				continue
			}
			if c.Listen != "0.0.0.0:8344" || !c.Access.Login || c.ClickHouse.User != "assay_writer" || c.ClickHouse.Password.Empty() || c.Privacy.UnitKey.Empty() {
				t.Errorf("%s, %s: not the configuration of a process on real servers: %+v", values, o.Metadata.Name, c)
			}
		}
		if n != 2 {
			t.Errorf("%s: %d configurations, one for the processes and one for the hook are expected", values, n)
		}
	}
}

// TestChartPods: what runs has no rights that it does not need, only the migration is
// given the administrator's password, and every command line is one of the program.
func TestChartPods(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range objects(t, rendered(t, "helm/assay/ci/whole-values.yaml")) {
		spec := o.Spec.Template.Spec
		if len(spec.Containers) == 0 {
			continue
		}
		component := o.Spec.Template.Metadata.Labels["app.kubernetes.io/component"]
		seen[component] = true
		if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken || spec.SecurityContext["runAsNonRoot"] != true {
			t.Errorf("%s: a token of the cluster, or root: %+v", component, spec)
		}
		for _, c := range spec.Containers {
			if fmt.Sprint(c.SecurityContext) != "map[allowPrivilegeEscalation:false capabilities:map[drop:[ALL]] readOnlyRootFilesystem:true]" {
				t.Errorf("%s: %v", component, c.SecurityContext)
			}
			for _, from := range c.EnvFrom {
				if admin := from.SecretRef.Name == "assay-admin"; admin && component != "migrate" {
					t.Errorf("%s is given the administrator's password", component)
				}
			}
			if out, err := run(t.Context(), assay(t), nil, append(c.Args, "--help")...); err != nil {
				t.Errorf("%s: assay %s: %v\n%s", component, strings.Join(c.Args, " "), err, out)
			}
		}
	}
	for _, component := range []string{"migrate", "ingest", "guard", "serve"} {
		if !seen[component] {
			t.Errorf("no pod of %s", component)
		}
	}
}

// TestChartHook: the migration runs before anything of a release is there, so what it
// needs is a hook, too, and comes before it.
func TestChartHook(t *testing.T) {
	weights := map[string]string{}
	for _, o := range objects(t, rendered(t, "helm/assay/ci/values.yaml")) {
		if o.Metadata.Annotations["helm.sh/hook"] == "pre-install,pre-upgrade" {
			weights[o.Kind] = o.Metadata.Annotations["helm.sh/hook-weight"]
		}
	}
	if fmt.Sprint(weights) != "map[ConfigMap:-1 Job:0 NetworkPolicy:-1]" {
		t.Errorf("hooks and their weights: %v", weights)
	}
}
