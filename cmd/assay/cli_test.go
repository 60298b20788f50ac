package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/assay-dev/assay/internal/golden"
	"github.com/assay-dev/assay/internal/testref"
)

// TestMain lets a test be the program: the completion scripts call it.
func TestMain(m *testing.M) {
	if os.Getenv("ASSAY_TEST_AS_PROGRAM") != "" {
		os.Exit(run(nil, os.Args[1:], os.Stdout, os.Stderr)) //nolint:staticcheck // what completes needs no context
	}
	os.Exit(m.Run())
}

// model is the command line as kong sees it.
func model(t *testing.T) *kong.Node {
	t.Helper()
	var c cli
	k, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return k.Model.Node
}

// TestReference holds docs/cli.md against the program; -update writes it.
func TestReference(t *testing.T) {
	var b bytes.Buffer
	writeReference(&b, model(t))
	golden.File(t, filepath.Join(testref.Root(t), "docs", "cli.md"), b.Bytes())
}

// TestManuals: every command says how it is typed and what its exit codes mean, and the
// commands that it shows are ones that the program understands.
func TestManuals(t *testing.T) {
	for _, e := range entries(model(t)) {
		if !strings.Contains(e.node.Detail, "Examples:\n\n  ") || !strings.Contains(e.node.Detail, "Exit codes: 0") {
			t.Errorf("%s: no examples or no exit codes in its Help()", e.name)
		}
		for _, line := range strings.Split(e.node.Detail, "\n") {
			line, isExample := strings.CutPrefix(line, "  assay ")
			if line == "help" { // that is --help, which ends here
				continue
			}
			if !isExample || strings.ContainsAny(line, `"|>`) {
				continue
			}
			var c cli
			k, err := newParser(&c, &bytes.Buffer{}, &bytes.Buffer{}, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.Parse(asFlag(strings.Fields(line))); err != nil && !strings.Contains(err.Error(), "no such file") {
				t.Errorf("%s: its example %q: %v", e.name, line, err)
			}
		}
	}
}

// TestHelp: `help COMMAND` and `COMMAND --help` are one.
func TestHelp(t *testing.T) {
	say := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 0 || errs.Len() > 0 {
			t.Fatalf("%v: exit code %d, %s", args, code, errs.String())
		}
		return out.String()
	}
	if a, b := say("help", "decision", "verify"), say("decision", "verify", "--help"); a != b || !strings.Contains(a, "Exit codes: 0") {
		t.Errorf("%s\nand\n%s", a, b)
	}
	if all := say("help"); !strings.Contains(all, "analyze") || strings.Contains(all, "Answer a shell") {
		t.Errorf("%s", all)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"help", "nonsense"}, &out, &errs); code != exitUsage {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	page := say("man")
	for _, want := range []string{".TH ASSAY 1", ".SS assay analyze", `\-\-as\-of`, ".SH EXIT STATUS"} {
		if !strings.Contains(page, want) {
			t.Errorf("the manual page lacks %q", want)
		}
	}
}

// TestComplete: what may follow, by command, flag and value.
func TestComplete(t *testing.T) {
	root := model(t)
	keys := func() []string { return []string{"checkout-cta", "new-search"} }
	for _, c := range []struct {
		words string
		want  string // some of what is suggested, or "!" and what is not
	}{
		{"", "analyze"},
		{"", "!complete"},
		{"an", "analyze"},
		{"an", "!apply"},
		{"analyze ", "checkout-cta"},
		{"analyze checkout-cta ", "new-search"}, // it takes several
		{"analyze new", "new-search"},
		{"analyze new", "!checkout-cta"},
		{"analyze --", "--as-of"},
		{"analyze --", "--json"},
		{"analyze --json ", "checkout-cta"}, // --json takes no value
		{"analyze --iteration 2 --pl", "--plan"},
		{"analyze --log-level ", "debug"},
		{"analyze --log-level=d", "debug"},
		{"analyze --log-level=d", "!error"},
		{"explain checkout-cta ", "!checkout-cta"}, // a unit is no experiment
		{"decision ", "verify"},
		{"decision ", "checkout-cta"}, // show is the default
		{"decision ver", "verify"},
		{"decision verify --", "--head"},
		{"decision verify --", "!--experiment"},
		{"completion ", "fish"},
		{"replay ", ":files"},
		{"power ", ":files"},
		{"power ", "checkout-cta"},
		{"--experiments ", ":dirs"},
		{"--config ", ":files"},
		{"verify --experiment ", "new-search"},
		{"report --format ", "markdown"},
	} {
		var got []string
		for _, s := range complete(root, strings.Split(c.words, " "), keys) {
			got = append(got, s.word)
		}
		word, absent := strings.CutPrefix(c.want, "!")
		has := false
		for _, g := range got {
			has = has || g == word
		}
		if has == absent {
			t.Errorf("after %q: %v, want %q", c.words, got, c.want)
		}
	}
}

// TestCompletionInBash plays the TAB key: the script, bash's own splitting of words and
// the program.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "assay")); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"assay ana":                     "analyze",
		"assay decision ver":            "verify",
		"assay analyze --log-level = d": "debug", // as bash splits --log-level=d
		"assay completion z":            "zsh",
	} {
		script := scripts["bash"] + `
COMP_WORDS=(` + words + `); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _assay; printf '%s\n' "${COMPREPLY[@]}"`
		cmd := exec.CommandContext(t.Context(), bash, "--norc", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "ASSAY_TEST_AS_PROGRAM=1")
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", words, got, err, want)
		}
	}
}

// shell is one that a completion script is for. Without it the test is skipped, in CI it
// fails.
func shell(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("no %s: apt-get install %s", name, name)
	}
	t.Skipf("no %s here", name)
	return ""
}

// asProgram runs a shell in a folder where assay is this test.
func asProgram(t *testing.T, path string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "assay")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir, "TERM=dumb", "ASSAY_TEST_AS_PROGRAM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
	return string(out)
}

// TestCompletionInFish asks fish itself what it would offer.
func TestCompletionInFish(t *testing.T) {
	path := shell(t, "fish")
	for words, want := range map[string]string{
		"assay ana": "analyze\t", "assay decision ver": "verify\t", "assay analyze --log-level=d": "--log-level=debug", "assay completion z": "zsh",
	} {
		got := asProgram(t, path, "--no-config", "-c", scripts["fish"]+"\ncomplete -C '"+words+"'")
		if !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}

// TestCompletionInZsh types into a zsh on a terminal and presses TAB.
func TestCompletionInZsh(t *testing.T) {
	path := shell(t, "zsh")
	const drive = `zmodload zsh/zpty
PS1='> ' zpty z zsh -f -i
zpty -w z "unset zle_bracketed_paste; PS1='armed> '; autoload -U compinit && compinit -u -D; source $1; print begin-now"
zpty -r -m z out $'*begin-now*armed> ' || exit 1
zpty -w -n z "$2"$'\t'
zpty -r -m z out "*$3*" || exit 1
zpty -d z
print found`
	for words, want := range map[string]string{
		"assay ana": "assay analyze ", "assay decision ver": "verify ", "assay analyze --log-level=d": "--log-level=debug", "assay completion z": "assay completion zsh ",
	} {
		script := filepath.Join(t.TempDir(), "_assay")
		if err := os.WriteFile(script, []byte(scripts["zsh"]), 0o600); err != nil {
			t.Fatal(err)
		}
		// What is typed comes back too; only what TAB adds makes it the word that is wanted.
		if got := asProgram(t, path, "-f", "-c", drive, "zsh", script, words, want); !strings.HasSuffix(got, "found\n") {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}
