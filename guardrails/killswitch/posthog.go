package killswitch

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// PostHog deactivates a feature flag. Sources: posthog.com/docs/api/feature-flags,
// posthog.com/docs/settings/approvals, posthog/api/feature_flag.py.
type PostHog struct {
	URL     string // default https://us.posthog.com
	Token   Secret // a personal API key
	Project string // its number
}

type postHog struct {
	PostHog
	api api
}

func (p PostHog) secrets() []Secret { return []Secret{p.Token} }

func (p PostHog) vendor() (Vendor, error) {
	p.URL = cmp.Or(p.URL, "https://us.posthog.com")
	if err := checkBase(p.URL); err != nil {
		return nil, err
	}
	if err := need("token", string(p.Token), "project", p.Project); err != nil {
		return nil, err
	}
	return postHog{p, newAPI(p.URL, "Authorization", "Bearer "+string(p.Token))}, nil
}

// flagOfPostHog is one of the list's.
type flagOfPostHog struct {
	ID     int64
	Key    string
	Active *bool
}

// find looks a key up. The search takes parts of keys and of names, so the flag
// may stand on a later page.
func (p postHog) find(t Target, offset int, found func(Answer, flagOfPostHog) Reply) Step {
	const page = 100
	address := p.api.at("/api/projects/%s/feature_flags/", p.Project) + "?search=" + url.QueryEscape(t.flag()) +
		fmt.Sprintf("&limit=%d&offset=%d", page, offset)
	return Step{Call: p.api.get(address), Aside: true, Then: func(a Answer) Reply {
		r := plain(a)
		if r.Class != ClassAccepted {
			r.Why = "the flag could not be looked up"
			return r
		}
		var list struct {
			Next    *string
			Results []flagOfPostHog
		}
		if err := decode(a.Body, &list); err != nil {
			return Reply{Class: ClassFault, Why: err.Error()}
		}
		for _, f := range list.Results {
			if f.Key == t.flag() {
				return found(a, f)
			}
		}
		if list.Next != nil && len(list.Results) > 0 {
			next := p.find(t, offset+len(list.Results), found)
			return Reply{Next: &next}
		}
		return Reply{Class: ClassNotFound, Why: "no flag of this project has this key"}
	}}
}

// Off implements Vendor.
func (p postHog) Off(r Request, _ time.Time) (Step, error) {
	return p.find(r.Target, 0, func(_ Answer, f flagOfPostHog) Reply {
		if off, err := isOff(f.Active); err == nil && off {
			return Reply{Class: ClassConflict, Why: "it had been turned off meanwhile"}
		}
		patch, err := p.api.step(http.MethodPatch, p.api.at("/api/projects/%s/feature_flags/", p.Project)+fmt.Sprintf("%d/", f.ID),
			map[string]bool{"active": false}, func(a Answer) Reply { return p.classify(a, f) })
		if err != nil {
			return Reply{Class: ClassDenied, Why: err.Error()}
		}
		return Reply{Next: &patch}
	}), nil
}

// classify tells the three meanings of 409 apart.
func (p postHog) classify(a Answer, f flagOfPostHog) Reply {
	r := plain(a)
	var problem struct {
		Code    string
		Request any `json:"change_request_id"`
	}
	if r.Class == ClassAccepted || decode(a.Body, &problem) != nil {
		return r
	}
	switch {
	case a.Status == http.StatusConflict && (problem.Code == "approval_required" || problem.Code == "change_request_pending"):
		r.Class = ClassPendingApproval
		r.Why = fmt.Sprintf("change request %v waits for an approval", problem.Request)
		r.Link = p.api.at("/project/%s/feature_flags/", p.Project) + fmt.Sprint(f.ID)
	case a.Status == http.StatusBadRequest && bytes.Contains(a.Body, []byte("depend on it")):
		r.Why = "another active flag depends on it: turn that one off first"
	}
	return r
}

// Read implements Vendor.
func (p postHog) Read(t Target) (Step, bool) {
	return p.find(t, 0, func(a Answer, f flagOfPostHog) Reply {
		r := readState(a, func([]byte) (bool, error) { return isOff(f.Active) })
		r.Serves = "the flag is inactive: everybody gets false, or the code's own default"
		return r
	}), true
}

// Needs implements Vendor.
func (p postHog) Needs() string {
	return "a personal API key with the scope feature_flag:write for this project alone"
}
