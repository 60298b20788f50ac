package killswitch

import (
	"bytes"
	"cmp"
	"net/http"
	"time"
)

// Unleash is an Unleash server, 5 or newer (run against 7.4.1). The flag is
// turned off in one environment of one project.
type Unleash struct {
	URL         string // of the server, without /api
	Token       Secret // an admin token, a service account's or a personal one
	Project     string // default "default"
	Environment string // such as production
}

type unleash struct {
	Unleash
	api api
}

func (u Unleash) secrets() []Secret { return []Secret{u.Token} }

func (u Unleash) vendor() (Vendor, error) {
	u.Project = cmp.Or(u.Project, "default")
	if err := checkBase(u.URL); err != nil {
		return nil, err
	}
	if err := need("token", string(u.Token), "environment", u.Environment); err != nil {
		return nil, err
	}
	return unleash{u, newAPI(u.URL, "Authorization", string(u.Token))}, nil
}

func (u unleash) address(t Target) string {
	return u.api.at("/api/admin/projects/%s/features/%s/environments/%s", u.Project, t.flag(), u.Environment)
}

// Off implements Vendor. A second off is answered with 200 and changes nothing,
// not even the audit log. There is no field for a reason.
func (u unleash) Off(r Request, _ time.Time) (Step, error) {
	request, err := u.changeRequest(r)
	if err != nil {
		return Step{}, err
	}
	return u.api.step(http.MethodPost, u.address(r.Target)+"/off", nil, func(a Answer) Reply {
		// Where change requests are on, the refusal names the permission that
		// would pass them by (PermissionError, stopWhenChangeRequestsEnabled).
		if a.Status == http.StatusForbidden && bytes.Contains(a.Body, []byte("SKIP_CHANGE_REQUEST")) {
			return Reply{Next: &request, Link: u.api.at("/projects/%s/features/%s", u.Project, r.flag())}
		}
		return plain(a)
	})
}

// Read implements Vendor.
func (u unleash) Read(t Target) (Step, bool) {
	return Step{Call: u.api.get(u.address(t)), Then: func(a Answer) Reply {
		reply := readState(a, func(body []byte) (bool, error) {
			var environment struct{ Enabled *bool }
			if err := decode(body, &environment); err != nil {
				return false, err
			}
			return isOff(environment.Enabled)
		})
		reply.Serves = "everybody gets the flag as disabled: isEnabled is false, getVariant the disabled variant"
		return reply
	}}, true
}

// Needs implements Vendor.
func (u unleash) Needs() string {
	return "a token that may disable flags (UPDATE_FEATURE_ENVIRONMENT) in the environment " + u.Environment + " of the project " + u.Project
}
