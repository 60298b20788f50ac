package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/testref"
)

// service is what these tests read of a compose service.
type service struct {
	Image       string            `yaml:"image"`
	Build       map[string]string `yaml:"build"`
	Command     any               `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
}

// services reads the compose file.
func services(t *testing.T) map[string]service {
	t.Helper()
	b, err := os.ReadFile("compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]service `yaml:"services"`
	}
	if err := yaml.UnmarshalWithOptions(b, &file, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	return file.Services
}

// arguments are the command of one of our services.
func (s service) arguments(t *testing.T) []string {
	t.Helper()
	list, ok := s.Command.([]any)
	if !ok || s.Build == nil {
		t.Fatalf("not one of assay's services: %+v", s)
	}
	var args []string
	for _, a := range list {
		args = append(args, strings.ReplaceAll(a.(string), "${USER:-compose}", "compose"))
	}
	return args
}

// TestCommandLines parses every command line of assay in the deployment files
// and in the guides with the program itself: --help comes after a complaint about
// anything before it.
func TestCommandLines(t *testing.T) {
	binary := assay(t)
	lines := map[string][]string{}
	for name, s := range services(t) {
		if s.Build != nil {
			lines["compose service "+name] = s.arguments(t)
		}
	}
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/assay (.*)$`)
	for _, unit := range units(t) {
		m := start.FindSubmatch(read(t, unit))
		if m == nil {
			t.Errorf("%s does not start assay", unit)
			continue
		}
		lines[unit] = strings.Fields(string(m[1]))
	}
	for _, guide := range guides(t) {
		for _, m := range regexp.MustCompile(`(?m)^ {4,}(?:[A-Z_]+=\S+ )*assay (.*?)(?: +#.*)?$`).FindAllSubmatch(read(t, guide), -1) {
			lines[filepath.Base(guide)+": "+string(m[1])] = words(string(m[1]))
		}
	}
	if len(lines) < 40 {
		t.Fatalf("found only %d command lines: %v", len(lines), lines)
	}
	for where, args := range lines {
		if out, err := run(t.Context(), binary, nil, append(args, "--help")...); err != nil {
			t.Errorf("%s: assay %s: %v\n%s", where, strings.Join(args, " "), err, out)
		}
	}
	for _, wrong := range [][]string{{"ingest", "--no-such-flag"}, {"no-such-command"}, {"migrate", "--user"}} {
		if out, err := run(t.Context(), binary, nil, append(wrong, "--help")...); err == nil {
			t.Errorf("assay %v --help is fine, so this test proves nothing:\n%s", wrong, out)
		}
	}
}

// words splits a command line at blanks that are in no quotes.
func words(line string) []string {
	all := regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1)
	for i := range all {
		all[i] = strings.Trim(all[i], `"`)
	}
	return all
}

// TestConfigurations loads every assay.yaml that is deployed.
func TestConfigurations(t *testing.T) {
	for file, listen := range map[string]string{
		"compose/assay.yaml": "0.0.0.0:8344", "systemd/ingest.yaml": "127.0.0.1:8344",
		"systemd/guard.yaml": "127.0.0.1:8345", "systemd/serve.yaml": "127.0.0.1:8346",
	} {
		c, err := config.Load(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if c.Listen != listen || c.ClickHouse.User != "assay_writer" || c.ClickHouse.Password.Empty() || c.Privacy.UnitKey.Empty() ||
			len(c.ClickHouse.Addresses) == 0 || len(c.Kafka.Brokers) == 0 {
			t.Errorf("%s: not the configuration of a process on real servers: %+v", file, c)
		}
	}
}

// TestUnitsShareOneConfiguration: the three files of one machine differ in what
// they are called and where they listen.
func TestUnitsShareOneConfiguration(t *testing.T) {
	own := regexp.MustCompile(`(?m)^(# /etc/assay/\w+\.yaml|listen: 127\.0\.0\.1:\d+)`)
	want := own.ReplaceAllString(string(read(t, "systemd/ingest.yaml")), "…")
	for _, other := range []string{"systemd/guard.yaml", "systemd/serve.yaml"} {
		if got := own.ReplaceAllString(string(read(t, other)), "…"); got != want {
			t.Errorf("%s differs from ingest.yaml in more than its port:\n%s", other, got)
		}
	}
}

// TestMounts: what the compose file mounts from this folder is there.
func TestMounts(t *testing.T) {
	n := 0
	for name, s := range services(t) {
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(from, ".") {
				continue
			}
			n++
			if _, err := os.Stat(filepath.Join("compose", from)); err != nil {
				t.Errorf("service %s mounts what is not there: %v", name, err)
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join("compose", s.Build["context"], s.Build["dockerfile"])); err != nil {
				t.Errorf("service %s: %v", name, err)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d mounts of files found", n)
	}
}

// TestNobodyIsLetInByDefault: a server that lets user default in with all rights
// and no password is open to the whole network, whatever our accounts may do.
func TestNobodyIsLetInByDefault(t *testing.T) {
	mounted := strings.Join(services(t)["clickhouse"].Volumes, "\n")
	for _, file := range []string{"users.xml", "no-default-user.xml", "config.xml"} {
		if !strings.Contains(mounted, "../clickhouse/"+file+":") {
			t.Errorf("the compose file's ClickHouse is started without deploy/clickhouse/%s", file)
		}
	}
	if !strings.Contains(string(read(t, "clickhouse/no-default-user.xml")), `<default remove="remove"/>`) {
		t.Error("no-default-user.xml leaves the user default")
	}
}

func units(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("systemd/*.service")
	if err != nil || len(found) != 3 {
		t.Fatalf("units: %v, %v", found, err)
	}
	return found
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// doc returns the path of a page of docs/.
func doc(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(testref.Root(t), "docs", name)
}
