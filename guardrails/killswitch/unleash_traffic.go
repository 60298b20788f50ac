package killswitch

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// gradual is Unleash's strategy with a rollout in whole percent.
const gradual = "flexibleRollout"

// strategy is one of a flag in an environment, as far as a ramp needs it.
type strategy struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Disabled   bool              `json:"disabled"`
	Parameters map[string]string `json:"parameters"`
}

func (u Unleash) ramper() ramper { return unleash{Unleash: u} }

// CannotSet implements ramper.
func (u unleash) CannotSet(traffic float64) string {
	if _, whole := rollout(traffic); !whole {
		return fmt.Sprintf("a gradual rollout has whole percents, and %s is none", percentText(traffic))
	}
	return ""
}

// rollout is a share in whole percents.
func rollout(traffic float64) (percent int, whole bool) {
	percent = int(math.Round(100 * traffic))
	return percent, math.Abs(100*traffic-float64(percent)) < 1e-9
}

// theRollout is the one strategy of a flag that a ramp moves. With none, or several,
// nobody can say what share takes part: the reply says so.
func theRollout(body []byte) (s strategy, percent int, why string) {
	var all []strategy
	if err := decode(body, &all); err != nil {
		return s, 0, err.Error()
	}
	var on []strategy
	for _, each := range all {
		if !each.Disabled {
			on = append(on, each)
		}
	}
	if len(on) != 1 || on[0].Name != gradual {
		return s, 0, fmt.Sprintf("a ramp moves the rollout of a flag's only strategy, which must be gradual (%s): this flag has %d that are on", gradual, len(on))
	}
	percent, err := strconv.Atoi(on[0].Parameters["rollout"])
	if err != nil {
		return s, 0, "the strategy has no rollout in whole percents"
	}
	return on[0], percent, ""
}

func (u unleash) strategies(t Target) string { return u.address(t) + "/strategies" }

// Traffic implements ramper: the rollout of the flag's strategy is replaced, everything
// else in it is left alone. A step begins only from the share of the one before: another
// one was set by somebody else.
func (u unleash) Traffic(r TrafficRequest, _ time.Time) (Step, error) {
	to, whole := rollout(r.Traffic)
	if !whole {
		return Step{}, fmt.Errorf("%s is no whole percent", percentText(r.Traffic))
	}
	return Step{Call: u.api.get(u.strategies(r.Target)), Aside: true, Then: func(a Answer) Reply {
		if reply := plain(a); reply.Class != ClassAccepted {
			return reply
		}
		s, now, why := theRollout(a.Body)
		was, _ := rollout(r.Was)
		switch {
		case why != "":
			return Reply{Class: ClassDenied, Why: why}
		case !r.Revert && now != was && now != to:
			return Reply{Class: ClassDenied, Why: fmt.Sprintf("the rollout is %d %%, and the step before has %d %%: somebody else has changed it", now, was)}
		}
		patch := []map[string]string{{"op": "replace", "path": "/parameters/rollout", "value": strconv.Itoa(to)}}
		step, err := u.api.step(http.MethodPatch, u.api.at("/api/admin/projects/%s/features/%s/environments/%s/strategies/%s", u.Project, r.flag(), u.Environment, s.ID), patch, func(a Answer) Reply {
			if a.Status == http.StatusForbidden && bytes.Contains(a.Body, []byte("SKIP_CHANGE_REQUEST")) {
				return Reply{Class: ClassPendingApproval, Link: u.api.at("/projects/%s/features/%s", u.Project, r.flag()),
					Why: fmt.Sprintf("this environment asks for a change request: put one up that sets the rollout to %d %%, or give the token's user the permission to skip them", to)}
			}
			return plain(a)
		})
		if err != nil {
			return Reply{Class: ClassDenied, Why: err.Error()}
		}
		return Reply{Next: &step}
	}}, nil
}

// ReadTraffic implements ramper.
func (u unleash) ReadTraffic(t Target, wanted float64) (Step, bool) {
	want, _ := rollout(wanted)
	return Step{Call: u.api.get(u.strategies(t)), Then: func(a Answer) Reply {
		reads := ""
		reply := readState(a, func(body []byte) (bool, error) {
			_, now, why := theRollout(body)
			if why != "" {
				return false, fmt.Errorf("%s", why)
			}
			reads = fmt.Sprintf("%d %%", now)
			return now == want, nil
		})
		reply.Reads = reads
		reply.Serves = fmt.Sprintf("the SDKs have it after their refresh interval: %d %% of the eligible units get the flag", want)
		return reply
	}}, true
}
