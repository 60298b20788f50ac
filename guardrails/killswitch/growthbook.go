package killswitch

import (
	"bytes"
	"cmp"
	"net/http"
	"time"
)

// GrowthBook turns a feature off in one environment, or stops one experiment and
// leaves the feature to its other rules. Sources: docs.growthbook.io/api,
// packages/back-end/src/api/features/toggleFeature.ts and util/errors.ts.
type GrowthBook struct {
	URL         string // of the API, default https://api.growthbook.io
	Token       Secret
	Environment string // of the feature
	Experiment  bool   // the target is an experiment's id
}

type growthBook struct {
	GrowthBook
	api  api
	link string // of the pages, where they are known
}

func (g GrowthBook) secrets() []Secret { return []Secret{g.Token} }

func (g GrowthBook) vendor() (Vendor, error) {
	const cloud = "https://api.growthbook.io"
	g.URL = cmp.Or(g.URL, cloud)
	if err := checkBase(g.URL); err != nil {
		return nil, err
	}
	if err := need("token", string(g.Token)); err != nil {
		return nil, err
	}
	if !g.Experiment {
		if err := need("environment", g.Environment); err != nil {
			return nil, err
		}
	}
	out := growthBook{GrowthBook: g, api: newAPI(g.URL, "Authorization", "Bearer "+string(g.Token))}
	if g.URL == cloud {
		out.link = "https://app.growthbook.io"
	}
	return out, nil
}

// Off implements Vendor. A feature that is off already gets no new revision.
func (g growthBook) Off(r Request, _ time.Time) (Step, error) {
	if g.Experiment {
		return g.api.step(http.MethodPost, g.api.at("/api/v1/experiments/%s/stop", r.flag()), map[string]any{
			"results": "dnf", "reason": because(r), "enableTemporaryRollout": false,
		}, g.classify(r.Target))
	}
	address := g.api.at("/api/v2/features/%s/toggle", r.flag())
	body := map[string]any{"reason": because(r), "environments": map[string]bool{g.Environment: false}}
	forced, err := g.api.step(http.MethodPost, address+"?ignoreWarnings=true", body, g.classify(r.Target))
	if err != nil {
		return Step{}, err
	}
	return g.api.step(http.MethodPost, address, body, func(a Answer) Reply {
		if a.Status == http.StatusUnprocessableEntity { // a warning that can be passed by
			return Reply{Next: &forced}
		}
		return g.classify(r.Target)(a)
	})
}

// classify is the meaning of an answer. What is not known is answered with 400.
func (g growthBook) classify(t Target) func(Answer) Reply {
	return func(a Answer) Reply {
		r := plain(a)
		says := func(text string) bool { return bytes.Contains(a.Body, []byte(text)) }
		switch {
		case a.Status == http.StatusForbidden && (says("bypasses approval requirements") || says("FlagsBypassApprovals") || says("bypassApprovalChecks")):
			r.Class = ClassPendingApproval
			r.Why = "this feature asks for a review: publish a draft, or give the token a role that may bypass approvals"
			if g.link != "" {
				r.Link = api{base: g.link}.at("/features/%s", t.flag())
			}
		case a.Status == http.StatusBadRequest && (says("Could not find") || says("Unknown environment")):
			r.Class = ClassNotFound
		}
		return r
	}
}

// Read implements Vendor.
func (g growthBook) Read(t Target) (Step, bool) {
	if g.Experiment {
		return Step{Call: g.api.get(g.api.at("/api/v1/experiments/%s", t.flag())), Then: g.experimentState}, true
	}
	return Step{Call: g.api.get(g.api.at("/api/v2/features/%s", t.flag())), Then: func(a Answer) Reply {
		r := readState(a, func(body []byte) (bool, error) {
			var answer struct {
				Feature struct {
					Environments map[string]struct{ Enabled *bool }
				}
			}
			if err := decode(body, &answer); err != nil {
				return false, err
			}
			return isOff(answer.Feature.Environments[g.Environment].Enabled)
		})
		if r.State == StateUnknown {
			r.Class = g.classify(t)(a).Class
		}
		r.Serves = "everybody gets no value (null) for the feature, so the code's own default"
		return r
	}}, true
}

// experimentState reads draft and stopped as off: nobody is in such an experiment.
func (g growthBook) experimentState(a Answer) Reply {
	r := readState(a, func(body []byte) (bool, error) {
		var answer struct{ Experiment struct{ Status string } }
		if err := decode(body, &answer); err != nil {
			return false, err
		}
		status := answer.Experiment.Status
		if status == "" {
			return false, errNoState
		}
		return status != "running", nil
	})
	if r.State == StateUnknown {
		r.Class = g.classify(Target{})(a).Class
	}
	r.Serves = "nobody is in the experiment; its features go by their other rules and their default"
	return r
}

// Needs implements Vendor.
func (g growthBook) Needs() string {
	if g.Experiment {
		return "a secret key or token whose role may run experiments of the project (runExperiments)"
	}
	return "a secret key or token whose role may publish features of the project in the environment " + g.Environment + " only (publishFeatures), and bypass approvals where they are asked for"
}
