package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/assay-dev/assay/internal/app"
	"github.com/assay-dev/assay/internal/privacy"
)

type momentsCmd struct {
	Files []string `arg:"" help:"Exports of the view moments as NDJSON, one of each region." type:"existingfile"`
}

// Help says what it is for.
func (momentsCmd) Help() string {
	return manual("Adds up the exact sums of several regions, as /api/v1/experiments/KEY/export/moments?format=ndjson gives them, and prints them in the same form. Sums are exact: the result is that of one ledger, as long as no unit is in two regions. Cells that a region left out (privacy.smallest_cell) are missing. docs/privacy.md says more.",
		[]string{"assay moments eu.ndjson us.ndjson > all.ndjson"})
}

// Run adds the files up.
func (c momentsCmd) Run(env *environment) error {
	sum := privacy.NewMoments()
	for _, name := range c.Files {
		f, err := os.Open(name)
		if err != nil {
			return usage(err)
		}
		err = sum.Read(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return usage(app.WithHint(fmt.Errorf("%s: %w", name, err), "export it again: /api/v1/experiments/KEY/export/moments?format=ndjson"))
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
