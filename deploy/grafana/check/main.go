// Command check reads Grafana dashboards with Grafana's own types, and fails at what
// they do not know: an unknown field, a value that is none of the allowed ones, a
// panel without its options. It is a module of its own, so that the program does not
// depend on Grafana.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			os.Exit(1)
		}
	}
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var d dashboard.Dashboard
	return errors.Join(faults(d.UnmarshalJSONStrict(text)), faults(d.Validate()))
}

// faults is an error unless it is an empty list, which the types return too.
func faults(err error) error {
	if list, ok := errors.AsType[cog.BuildErrors](err); ok && len(list) == 0 {
		return nil
	}
	return err
}
