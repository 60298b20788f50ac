package main

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/terminal"
)

type privacyCmd struct {
	Experiment string `arg:"" help:"Key of the experiment."`
}

// Help says what it is for.
func (privacyCmd) Help() string {
	return manual("Says of an experiment in force what is stored of whom, what uses each attribute and event, until when it is kept and who may read it, from its file and the operator's configuration; and what should not stay so. docs/privacy.md explains it.",
		[]string{"assay privacy checkout-cta", "assay privacy checkout-cta --json"})
}

// Run prints the notice.
func (c privacyCmd) Run(env *environment) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		e, err := find(v, c.Experiment)
		if err != nil {
			return err
		}
		n := s.PrivacyNotice(v, e)
		return env.print(n, func() error {
			_, err := fmt.Fprint(env.out, privacyText(n))
			return err
		})
	})
}

func privacyText(n privacy.Notice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, owned by %s, configuration %d\nof whom: %s\n\n", n.Experiment, n.Owner, n.Version, n.Population)
	var rows []string
	for _, a := range n.Attributes {
		stored, why := "yes", strings.Join(a.Why, ", ")
		if !a.Stored {
			stored = "no"
		}
		if a.Sensitive {
			stored += ", sensitive"
		}
		if why == "" {
			why = "nothing in this experiment"
		}
		rows = append(rows, a.Name+"\t"+stored+"\t"+why)
	}
	section := func(header string) {
		if len(rows) > 0 {
			b.WriteString(terminal.Table(header, rows) + "\n")
		}
		rows = nil
	}
	section("ATTRIBUTE\tSTORED\tUSED BY")
	for _, u := range n.Events {
		rows = append(rows, u.Name+"\t"+strings.Join(u.Why, ", "))
	}
	section("EVENT\tUSED BY")
	for _, k := range n.Kept {
		rows = append(rows, strings.Join([]string{k.Where, k.What, k.Whom, k.Until}, "\t"))
	}
	section("WHERE\tWHAT\tOF WHOM\tUNTIL")
	for _, r := range n.Readers {
		rows = append(rows, r.What+"\t"+r.Who)
	}
	section("WHAT MAY BE READ\tBY WHOM")
	for _, f := range n.Findings {
		fmt.Fprintf(&b, "finding: %s\n", f)
	}
	return b.String()
}
