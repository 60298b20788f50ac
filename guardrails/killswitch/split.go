package killswitch

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// Split kills a feature flag of Split, now Harness FME, in one environment: its
// default treatment is served to everybody. Sources: docs.split.io/reference
// (kill-split-in-environment, rate-limiting), and approval-flows of
// developer.harness.io.
type Split struct {
	URL         string // default https://api.split.io
	Token       Secret // an Admin API key
	Harness     bool   // the token is one of Harness, sent as x-api-key
	Workspace   string // its id
	Environment string // its id or name
}

type split struct {
	Split
	api api
}

func (s Split) secrets() []Secret { return []Secret{s.Token} }

func (s Split) vendor() (Vendor, error) {
	s.URL = cmp.Or(s.URL, "https://api.split.io")
	if err := checkBase(s.URL); err != nil {
		return nil, err
	}
	if err := need("token", string(s.Token), "workspace", s.Workspace, "environment", s.Environment); err != nil {
		return nil, err
	}
	header, value := "Authorization", "Bearer "+string(s.Token)
	if s.Harness {
		header, value = "X-Api-Key", string(s.Token)
	}
	return split{s, newAPI(s.URL, header, value)}, nil
}

func (s split) address(t Target) string {
	return s.api.at("/internal/api/v2/splits/ws/%s/%s/environments/%s", s.Workspace, t.flag(), s.Environment)
}

// Off implements Vendor.
func (s split) Off(r Request, _ time.Time) (Step, error) {
	return s.api.step(http.MethodPut, s.address(r.Target)+"/kill", nil, s.classify)
}

// classify adds the pauses of Split's limits, of which the longer one counts,
// and the lock that a pending approval puts on a flag. Which status it has is
// not documented: the word decides.
func (s split) classify(a Answer) Reply {
	r := plain(a)
	body := bytes.ToLower(a.Body)
	switch {
	case r.Class == ClassRateLimited:
		for _, name := range []string{"X-RateLimit-Reset-Seconds-Org", "X-RateLimit-Reset-Seconds-IP"} {
			if seconds, err := strconv.ParseInt(a.Header.Get(name), 10, 32); err == nil {
				r.Wait = max(r.Wait, time.Duration(seconds)*time.Second)
			}
		}
	case a.Status == http.StatusLocked,
		a.Status >= 400 && a.Status < 500 && (bytes.Contains(body, []byte("approval")) || bytes.Contains(body, []byte("locked"))):
		r.Class, r.Why = ClassPendingApproval, "an approval stands in the way: decide the pending change, or let the key's role skip approvals"
	}
	return r
}

// Read implements Vendor.
func (s split) Read(t Target) (Step, bool) {
	return Step{Call: s.api.get(s.address(t)), Then: func(a Answer) Reply {
		var definition struct {
			Killed  *bool
			Default string `json:"defaultTreatment"`
		}
		r := readState(a, func(body []byte) (bool, error) {
			if err := decode(body, &definition); err != nil {
				return false, err
			}
			if definition.Killed == nil {
				return false, errNoState
			}
			return *definition.Killed, nil
		})
		r.Wait = s.classify(a).Wait
		if definition.Default != "" {
			r.Serves = "everybody gets the default treatment, " + definition.Default
		}
		return r
	}}, true
}

// Needs implements Vendor.
func (s split) Needs() string {
	return "an Admin API key with the role API_FEATURE_FLAG_EDITOR and the scope ENVIRONMENT, of this environment"
}
