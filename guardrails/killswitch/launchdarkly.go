package killswitch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// LaunchDarkly turns a flag off in one environment by a semantic patch. Sources:
// launchdarkly.com/docs/api (OpenAPI 2.0, api-client-go v22).
type LaunchDarkly struct {
	URL         string // default https://app.launchdarkly.com
	Token       Secret
	Project     string
	Environment string
	Trigger     Secret // address of a flag trigger; then the token only reads
}

type launchDarkly struct {
	LaunchDarkly
	api api
}

func (l LaunchDarkly) secrets() []Secret {
	out := []Secret{l.Token, l.Trigger}
	// An error page may show no more than the path of a trigger, which opens it.
	if u, err := url.Parse(string(l.Trigger)); err == nil && l.Trigger != "" {
		out = append(out, Secret(u.Path), Secret(path.Base(u.Path)))
	}
	return out
}

func (l LaunchDarkly) vendor() (Vendor, error) {
	l.URL = cmp.Or(l.URL, "https://app.launchdarkly.com")
	if err := checkBase(l.URL); err != nil {
		return nil, err
	}
	if l.Trigger != "" {
		if err := checkURL("trigger", string(l.Trigger)); err != nil {
			return nil, err
		}
	}
	if err := need("token", string(l.Token), "project", l.Project, "environment", l.Environment); err != nil {
		return nil, err
	}
	return launchDarkly{l, newAPI(l.URL, "Authorization", string(l.Token))}, nil
}

// instructions are what is asked for, of LaunchDarkly or of a person.
func instructions() []map[string]string { return []map[string]string{{"kind": "turnFlagOff"}} }

// Off implements Vendor. A flag that is off already is left unchanged.
func (l launchDarkly) Off(r Request, _ time.Time) (Step, error) {
	if l.Trigger != "" {
		return Step{Call: Call{Method: http.MethodPost, URL: string(l.Trigger)}, Then: l.plain}, nil
	}
	approval, err := l.approval(r)
	if err != nil {
		return Step{}, err
	}
	forced, err := l.patch(r, "?ignoreConflicts=true", func(a Answer) Reply { return l.classify(a, approval) })
	if err != nil {
		return Step{}, err
	}
	return l.patch(r, "", func(a Answer) Reply {
		// It would break a scheduled change or an approval that waits. The same
		// status is given to a patch that is not understood: then it comes again.
		if a.Status == http.StatusBadRequest {
			return Reply{Next: &forced}
		}
		return l.classify(a, approval)
	})
}

// Try plans the off call as LaunchDarkly's own dry run.
func (l launchDarkly) Try(t Target) (Step, error) {
	return l.patch(Request{Target: t, Key: "dry run", Reason: "may this token turn the flag off?"}, "?dryRun=true", func(a Answer) Reply {
		r := l.plain(a)
		if a.Status == http.StatusMethodNotAllowed {
			r.Class = ClassPendingApproval
		}
		return r
	})
}

func (l launchDarkly) patch(r Request, query string, then func(Answer) Reply) (Step, error) {
	step, err := l.api.step(http.MethodPatch, l.api.at("/api/v2/flags/%s/%s", l.Project, r.flag())+query, map[string]any{
		"environmentKey": l.Environment, "comment": because(r), "instructions": instructions(),
	}, then)
	if err == nil {
		step.Header.Set("Content-Type", "application/json; domain-model=launchdarkly.semanticpatch")
	}
	return step, err
}

func (l launchDarkly) classify(a Answer, approval Step) Reply {
	if a.Status == http.StatusMethodNotAllowed { // approval is required
		return Reply{Next: &approval}
	}
	return l.plain(a)
}

// plain adds LaunchDarkly's own pause: the time in milliseconds at which a limit ends.
func (l launchDarkly) plain(a Answer) Reply {
	r := plain(a)
	if ms, err := strconv.ParseInt(a.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil && r.Class == ClassRateLimited {
		r.Wait = max(time.UnixMilli(ms).Sub(a.At), 0)
	}
	return r
}

// approval looks for a request that an earlier attempt has filed, and files one
// if there is none.
func (l launchDarkly) approval(r Request) (Step, error) {
	address := l.api.at("/api/v2/projects/%s/flags/%s/environments/%s/approval-requests", l.Project, r.flag(), l.Environment)
	link := l.api.at("/%s/%s/features/%s", l.Project, l.Environment, r.flag())
	file, err := l.api.step(http.MethodPost, address, map[string]any{
		"description": because(r), "comment": because(r), "instructions": instructions(),
	}, func(a Answer) Reply {
		why := "it waits for an approval, which was asked for"
		if a.Status != http.StatusCreated {
			why = "it needs an approval, which could not be asked for"
		}
		return Reply{Class: ClassPendingApproval, Why: why, Link: link}
	})
	file.Aside, file.Lost = true, ClassPendingApproval
	look := Step{Call: l.api.get(address), Aside: true, Then: func(a Answer) Reply {
		var list struct {
			Items []struct{ Description, Status string }
		}
		if a.Status == http.StatusOK && decode(a.Body, &list) == nil {
			for _, item := range list.Items {
				if item.Status == "pending" && strings.HasPrefix(item.Description, "assay "+r.Key+":") {
					return Reply{Class: ClassPendingApproval, Why: "it waits for an approval, which was asked for before", Link: link}
				}
			}
		}
		return Reply{Next: &file, Link: link}
	}}
	return look, err
}

// Read implements Vendor.
func (l launchDarkly) Read(t Target) (Step, bool) {
	address := l.api.at("/api/v2/flags/%s/%s", l.Project, t.flag()) + "?env=" + url.QueryEscape(l.Environment)
	return Step{Call: l.api.get(address), Then: func(a Answer) Reply {
		var flag struct {
			Variations   []struct{ Value json.RawMessage }
			Environments map[string]struct {
				On           *bool
				OffVariation *int
			}
		}
		r := readState(a, func(body []byte) (bool, error) {
			if err := decode(body, &flag); err != nil {
				return false, err
			}
			return isOff(flag.Environments[l.Environment].On)
		})
		r.Wait = l.plain(a).Wait
		if r.State == StateUnknown {
			return r
		}
		r.Serves = "everybody gets the code's own default"
		if i := flag.Environments[l.Environment].OffVariation; i != nil && *i >= 0 && *i < len(flag.Variations) {
			r.Serves = fmt.Sprintf("everybody gets the off variation, %s", flag.Variations[*i].Value)
		}
		return r
	}}, true
}

// Needs implements Vendor.
func (l launchDarkly) Needs() string {
	return fmt.Sprintf("a service token with a custom role of one statement: effect allow, actions updateOn (and createApprovalRequest), resource proj/%s:env/%s:flag/*", l.Project, l.Environment)
}
