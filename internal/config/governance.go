package config

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Governance says what has to be agreed to before an experiment grows.
type Governance struct {
	Approvals int      `yaml:"approvals"` // other people who must agree before any experiment starts or grows; a file may ask for more; 0: only where a file asks
	Sensitive []string `yaml:"sensitive"` // attributes that an experiment reads only after a review (privacy_review in its file), such as age; `assay ready` says so
	Proved    bool     `yaml:"proved"`    // approvals count, and changes that need them are applied, only under names that a login proves: a token or JWT, also on the command line (ASSAY_TOKEN)
	// Of experiments whose file says nothing of it (stale).
	StaleAfter experiment.Duration `yaml:"stale_after"` // an experiment is reported when it is exposed so long after its end, has no data for so long, or a review is so long overdue; 0: only where a file asks
	StaleHold  experiment.Duration `yaml:"stale_hold"`  // so much later it is held: ramps wait and nothing of it grows, until a note says why; 0: never
}

// mostApprovals is how many can be asked for; a file cannot ask for more either.
const mostApprovals = 10

func (g *Governance) check() error {
	if g.Approvals < 0 || g.Approvals > mostApprovals {
		return fmt.Errorf("governance.approvals: %d is not between 0 and %d", g.Approvals, mostApprovals)
	}
	for _, d := range []struct {
		name string
		is   experiment.Duration
	}{{"stale_after", g.StaleAfter}, {"stale_hold", g.StaleHold}} {
		if d.is != 0 && d.is < experiment.Duration(time.Hour) {
			return fmt.Errorf("governance.%s: %s is less than an hour", d.name, d.is)
		}
	}
	if g.StaleHold != 0 && g.StaleAfter == 0 {
		return errors.New("governance.stale_hold: without stale_after nothing is ever stale")
	}
	return nil
}
