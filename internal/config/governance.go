package config

import "fmt"

// Governance says what has to be agreed to before an experiment grows.
type Governance struct {
	Approvals int      `yaml:"approvals"` // other people who must agree before any experiment starts or grows; a file may ask for more; 0: only where a file asks
	Sensitive []string `yaml:"sensitive"` // attributes that an experiment reads only after a review (privacy_review in its file), such as age; `assay ready` says so
}

// mostApprovals is how many can be asked for; a file cannot ask for more either.
const mostApprovals = 10

func (g *Governance) check() error {
	if g.Approvals < 0 || g.Approvals > mostApprovals {
		return fmt.Errorf("governance.approvals: %d is not between 0 and %d", g.Approvals, mostApprovals)
	}
	return nil
}
