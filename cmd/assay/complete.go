package main

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
)

// completeCmd answers a shell's question; the scripts of completionCmd ask it.
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words so far; the last one is begun."`
}

// Run prints what may follow, a line each: the word, a tab and what it does; :files and
// :dirs leave it to the shell.
func (c completeCmd) Run(env *environment) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	var b strings.Builder
	for _, s := range complete(env.model, words, env.keys) {
		b.WriteString(strings.TrimSuffix(s.word+"\t"+s.help, "\t") + "\n")
	}
	_, err := io.WriteString(env.out, b.String())
	return err
}

// suggestion is a word that may follow.
type suggestion struct{ word, help string }

// The words that are no words but leave it to the shell.
var (
	anyFile   = suggestion{word: ":files"}
	anyFolder = suggestion{word: ":dirs"}
)

// complete suggests what may stand in place of the last word. keys lists experiments.
func complete(root *kong.Node, words []string, keys func() []string) []suggestion {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	at := place{node: root}
	for _, w := range words[:len(words)-1] {
		at = at.after(w)
	}
	var all []suggestion
	prefix := last
	switch flag, value, assigned := strings.Cut(last, "="); {
	case at.flag != nil:
		all = valuesOf(at.flag.Value, keys)
	case assigned && strings.HasPrefix(flag, "--"):
		prefix = value
		if f := at.find(flag); f != nil {
			all = valuesOf(f.Value, keys)
		}
	case strings.HasPrefix(last, "-"):
		all = at.flags()
	default:
		all = at.arguments(keys)
	}
	return slices.DeleteFunc(all, func(s suggestion) bool {
		return s != anyFile && s != anyFolder && !strings.HasPrefix(s.word, prefix)
	})
}

// place is where one stands in a command line.
type place struct {
	node  *kong.Node
	flag  *kong.Flag // whose value comes next
	given int        // arguments of the command so far
}

// after is the place behind one more word.
func (p place) after(word string) place {
	switch {
	case p.flag != nil:
		p.flag = nil
		return p
	case strings.HasPrefix(word, "-"):
		if f := p.find(word); f != nil && !f.IsBool() && !f.IsCounter() {
			p.flag = f
		}
		return p
	}
	for _, child := range p.node.Children {
		if child.Name == word {
			return place{node: child}
		}
	}
	if p.node.DefaultCmd != nil {
		p = place{node: p.node.DefaultCmd}
	}
	p.given++
	return p
}

// find is the flag of that name, of the command or of all.
func (p place) find(name string) *kong.Flag {
	for _, group := range p.node.AllFlags(true) {
		for _, f := range group {
			if "--"+f.Name == name || f.Short != 0 && "-"+string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}

// flags are those that may stand here, the command's own first.
func (p place) flags() []suggestion {
	var all []suggestion
	for _, group := range slices.Backward(p.node.AllFlags(true)) {
		for _, f := range group {
			all = append(all, suggestion{"--" + f.Name, f.Help})
		}
	}
	return all
}

// arguments are the commands below, or values of the next argument.
func (p place) arguments(keys func() []string) []suggestion {
	var all []suggestion
	if p.given == 0 {
		for _, child := range p.node.Children {
			if !child.Hidden {
				all = append(all, suggestion{child.Name, child.Help})
			}
		}
		if d := p.node.DefaultCmd; d != nil {
			return append(all, place{node: d}.arguments(keys)...)
		}
	}
	args := p.node.Positional
	switch {
	case p.given < len(args):
		return append(all, valuesOf(args[p.given], keys)...)
	case len(args) > 0 && args[len(args)-1].IsSlice():
		return append(all, valuesOf(args[len(args)-1], keys)...)
	}
	return all
}

// valuesOf are the values that a flag or an argument may have, as far as they are known.
func valuesOf(v *kong.Value, keys func() []string) []suggestion {
	var all []suggestion
	for _, word := range v.EnumSlice() {
		if word != "" {
			all = append(all, suggestion{word: word})
		}
	}
	if len(all) > 0 {
		return all
	}
	if strings.EqualFold(v.Name, "experiment") && v.Target.Kind() != reflect.Bool {
		for _, key := range keys() {
			all = append(all, suggestion{word: key})
		}
		return append(all, fileOf(v)...)
	}
	return fileOf(v)
}

// fileOf leaves the value to the shell where it is a path.
func fileOf(v *kong.Value) []suggestion {
	switch {
	case v.Tag.PlaceHolder == "DIR":
		return []suggestion{anyFolder}
	case v.Tag.Type == "path", v.Tag.Type == "existingfile", strings.HasSuffix(v.Tag.PlaceHolder, "FILE"),
		v.Flag == nil && strings.Contains(v.Help, "file"):
		return []suggestion{anyFile}
	}
	return nil
}

// keys are those of the experiments whose files lie where the configuration says. A shell
// that waits for an answer is not told what is wrong with a file.
func (e *environment) keys() []string {
	cfg, err := e.config()
	if err != nil {
		return nil
	}
	files, err := app.Files(cfg)
	if err != nil {
		return nil
	}
	set, problems := experiment.Parse(files)
	if len(problems) > 0 {
		return nil
	}
	v, _, _ := experiment.Apply(nil, set, time.Now(), "")
	if v == nil {
		return nil
	}
	var all []string
	for i := range v.Experiments {
		all = append(all, v.Experiments[i].Key)
	}
	slices.Sort(all)
	return all
}

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints the script that asks this program what may follow.
func (c completionCmd) Run(env *environment) error {
	script := scripts[c.Shell]
	return env.print(map[string]string{"shell": c.Shell, "script": script}, func() error {
		_, err := fmt.Fprint(env.out, script)
		return err
	})
}
