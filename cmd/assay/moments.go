package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

type momentsCmd struct {
	Files []string `arg:"" help:"Exports of the view moments as NDJSON, one of each region." type:"existingfile"`

	Results   string    `help:"Show the results of this experiment over all regions, as assay analyze does, instead of the sums. Its configuration is the one in force here." placeholder:"KEY"`
	Iteration uint32    `help:"With --results: number of the iteration (default: the latest)." placeholder:"N"`
	At        time.Time `help:"With --results: up to when every region had counted when it exported (RFC 3339; default: the newest event that all of them have)." placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00"`
}

// Help says what it is for.
func (momentsCmd) Help() string {
	return manual("Adds up the exact sums of several regions, as /api/v1/experiments/KEY/export/moments?format=ndjson gives them, and prints them in the same form, or with --results the effects and intervals that follow from them. Sums are exact: the result is that of one ledger, as long as no unit is in two regions. Cells that a region left out (privacy.smallest_cell) are missing. docs/privacy.md says more.",
		[]string{"assay moments eu.ndjson us.ndjson > all.ndjson", "assay moments --results checkout-cta eu.ndjson us.ndjson --json"})
}

// Run adds the files up.
func (c momentsCmd) Run(env *environment) error {
	if c.Results != "" {
		return c.show(env)
	}
	if c.Iteration != 0 || !c.At.IsZero() {
		return usage(errors.New("--iteration and --at are for --results"))
	}
	sum := privacy.NewMoments()
	for _, name := range c.Files {
		if err := readMoments(sum, name); err != nil {
			return err
		}
	}
	out := json.NewEncoder(env.out)
	for _, row := range sum.Rows() {
		if err := out.Encode(row); err != nil {
			return fmt.Errorf("write sums: %w", err)
		}
	}
	return nil
}

// readMoments adds one region's export.
func readMoments(sum *privacy.Moments, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return usage(err)
	}
	err = sum.Read(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return usage(app.WithHint(fmt.Errorf("%s: %w", name, err), "export it again: /api/v1/experiments/KEY/export/moments?format=ndjson"))
	}
	return nil
}

// show prints the results over all regions.
func (c momentsCmd) show(env *environment) error {
	return env.withVersion(func(s *app.Stack, v *experiment.Version) error {
		e, err := find(v, c.Results)
		if err != nil {
			return err
		}
		var all []app.RegionFile
		for _, name := range c.Files {
			sum := privacy.NewMoments()
			if err := readMoments(sum, name); err != nil {
				return err
			}
			all = append(all, app.RegionFile{Name: filepath.Base(name), Sums: sum})
		}
		d, regions, err := app.Regions(v, e, c.Iteration, all, c.At, s.Code)
		if err != nil {
			return usage(err)
		}
		for _, r := range regions {
			if len(r.Left) > 0 {
				_, _ = fmt.Fprintf(env.err, "assay: warning: %s: not in all arms, so left out: %s\n", r.Name, strings.Join(r.Left, "; "))
			}
		}
		return env.print([]*results.Document{&d}, func() error { return report.Colour(env.out, &d, env.paint) })
	})
}
