package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command; none: all of them."`
}

// Run is never reached: asFlag has made --help of it.
func (helpCmd) Run(*environment) error { return nil }

// asFlag turns `assay help analyze` into `assay analyze --help`.
func asFlag(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		return append(append([]string{}, args[1:]...), "--help")
	}
	return args
}

type manCmd struct{}

// Run prints the manual page: assay man | man -l -
func (manCmd) Run(env *environment) error {
	var b strings.Builder
	writeMan(&b, env.model)
	return env.print(map[string]string{"roff": b.String()}, func() error {
		_, err := io.WriteString(env.out, b.String())
		return err
	})
}

// entry is a command as the manual and docs/cli.md have it.
type entry struct {
	name  string // assay decision verify
	usage string
	node  *kong.Node
}

// entries are all commands that can be run, in the order of the help.
func entries(root *kong.Node) []entry {
	var all []entry
	for _, n := range root.Leaves(true) {
		all = append(all, entry{name: root.Name + " " + commandName(root, n), usage: root.Name + " " + strings.TrimSuffix(n.Summary(), " [flags]"), node: n})
	}
	return all
}

func commandName(root, n *kong.Node) string {
	if n.Parent == nil || n.Parent == root {
		return n.Name
	}
	return commandName(root, n.Parent) + " " + n.Name
}

// ownFlags are those of the command itself and of those above it, but for everybody's.
func ownFlags(root, n *kong.Node) []*kong.Flag {
	var own []*kong.Flag
	for ; n != nil && n != root; n = n.Parent {
		for _, f := range n.Flags {
			if !f.Hidden {
				own = append(own, f)
			}
		}
	}
	return own
}

func flagName(f *kong.Flag) string {
	switch {
	case f.IsBool():
		return "--" + f.Name
	default:
		return "--" + f.Name + "=" + f.FormatPlaceHolder()
	}
}

// exits are the exit codes of the whole program.
var exits = [][2]string{
	{"0", "it went well"},
	{"1", "something went wrong, or what was compared differs; standard error says what and, where that is known, what to do"},
	{"2", "the command line or a configuration file is wrong"},
	{"3", "a check found what it looks for"},
}

// writeReference writes docs/cli.md.
func writeReference(w io.Writer, root *kong.Node) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	p("# The command line\n\n%s\n\nThis page is made from the program (`go test ./cmd/assay -run TestReference -update`). `assay help COMMAND` says the same, `assay man | man -l -` shows it as a manual page, and `source <(assay completion bash)` (or `zsh`; `assay completion fish | source`) completes commands, flags and the keys of experiments.\n\n", root.Help)
	p("Results go to standard output, everything else to standard error. With `--json` a result is one JSON document, on whatever output. Words are coloured on a terminal only, and not where `NO_COLOR` is set. Long work says how far it is: on one line of a terminal, elsewhere by a line every ten seconds.\n\n")
	p("| exit code | meaning |\n|---|---|\n")
	for _, e := range exits {
		p("| %s | %s |\n", e[0], e[1])
	}
	p("\n## Flags of every command\n\n")
	writeFlags(p, root.Flags)
	for _, e := range entries(root) {
		p("\n## %s\n\n%s\n\n```\n%s\n```\n", e.name, e.node.Help, e.usage)
		if e.node.Detail != "" {
			p("\n%s\n", fenced(e.node.Detail))
		}
		if len(e.node.Positional) > 0 {
			p("\n| argument | |\n|---|---|\n")
			for _, a := range e.node.Positional {
				p("| `%s` | %s |\n", a.Summary(), cell(a.Help))
			}
		}
		if own := ownFlags(root, e.node); len(own) > 0 {
			p("\n")
			writeFlags(p, own)
		}
	}
}

func writeFlags(p func(string, ...any), flags []*kong.Flag) {
	p("| flag | |\n|---|---|\n")
	for _, f := range flags {
		if !f.Hidden {
			p("| `%s` | %s |\n", flagName(f), cell(flagHelp(f)))
		}
	}
}

// flagHelp says what a flag does, and what else gives it a value.
func flagHelp(f *kong.Flag) string {
	if len(f.Envs) == 0 {
		return f.Help
	}
	return f.Help + " Or $" + f.Envs[0] + "."
}

func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// fenced puts the indented lines of a command's description between fences.
func fenced(detail string) string {
	var out []string
	code := false
	for _, line := range strings.Split(detail, "\n") {
		indented := strings.HasPrefix(line, "  ")
		if indented != code && line != "" {
			out, code = append(out, "```"), indented
		}
		out = append(out, strings.TrimPrefix(line, "  "))
	}
	if code {
		out = append(out, "```")
	}
	return strings.ReplaceAll(strings.Join(out, "\n"), "\n\n```\n\n", "\n```\n\n")
}

// writeMan writes the manual page, in roff's man macros.
func writeMan(w io.Writer, root *kong.Node) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	p(`.TH ASSAY 1 "" "assay %s" "User Commands"`, version)
	p(".SH NAME\nassay \\- %s", roff(strings.ToLower(root.Help[:1])+strings.TrimSuffix(root.Help[1:], ".")))
	p(".SH SYNOPSIS\n.B assay\n.I command\n[\\fIflags\\fR]")
	p(".SH FLAGS OF EVERY COMMAND")
	manFlags(p, root.Flags)
	p(".SH COMMANDS")
	for _, e := range entries(root) {
		p(".SS %s\n%s", roff(e.usage), roff(e.node.Help))
		manDetail(p, e.node.Detail)
		for _, a := range e.node.Positional {
			p(".TP\n.I %s\n%s", roff(a.Summary()), roff(a.Help))
		}
		manFlags(p, ownFlags(root, e.node))
	}
	p(".SH EXIT STATUS")
	for _, e := range exits {
		p(".TP\n%s\n%s", e[0], roff(e[1]))
	}
}

func manFlags(p func(string, ...any), flags []*kong.Flag) {
	for _, f := range flags {
		if !f.Hidden {
			p(".TP\n.B %s\n%s", roff(flagName(f)), roff(flagHelp(f)))
		}
	}
}

// manDetail writes paragraphs, and indented lines as they stand.
func manDetail(p func(string, ...any), detail string) {
	code := false
	for _, line := range strings.Split(detail, "\n") {
		switch indented := strings.HasPrefix(line, "  "); {
		case line == "" && !code:
			p(".PP")
			continue
		case indented && !code:
			p(".nf\n.RS")
			code = true
		case !indented && code && line != "":
			p(".RE\n.fi")
			code = false
		}
		if line != "" || !code {
			p("%s", roff(strings.TrimPrefix(line, "  ")))
		}
	}
	if code {
		p(".RE\n.fi")
	}
}

// roff escapes what the macros would read.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
