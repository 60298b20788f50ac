package killswitch

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"time"
)

// Statsig disables a gate, or abandons an experiment. Sources:
// docs.statsig.com/en/api-reference (gates/disable-gate, gates/read-gate,
// experiments/abandon-experiment, experiments/read-experiment).
type Statsig struct {
	URL        string // default https://statsigapi.net
	Token      Secret // a console key
	Experiment bool   // the target is an experiment's id
}

type statsig struct {
	Statsig
	api api
}

func (s Statsig) secrets() []Secret { return []Secret{s.Token} }

func (s Statsig) vendor() (Vendor, error) {
	s.URL = cmp.Or(s.URL, "https://statsigapi.net")
	if err := checkBase(s.URL); err != nil {
		return nil, err
	}
	if err := need("token", string(s.Token)); err != nil {
		return nil, err
	}
	out := statsig{s, newAPI(s.URL, "STATSIG-API-KEY", string(s.Token))}
	out.api.header.Set("STATSIG-API-VERSION", "20240601")
	return out, nil
}

// Off implements Vendor. Reviews are passed by: they are respected only where a
// header asks for it.
func (s statsig) Off(r Request, _ time.Time) (Step, error) {
	if !s.Experiment {
		return s.api.step(http.MethodPut, s.api.at("/console/v1/gates/%s/disable", r.flag()), nil, plain)
	}
	return s.api.step(http.MethodPut, s.api.at("/console/v1/experiments/%s/abandon", r.flag()),
		map[string]string{"decisionReason": because(r)}, func(a Answer) Reply {
			reply := plain(a)
			if a.Status == http.StatusBadRequest && bytes.Contains(a.Body, []byte("not yet started")) {
				// Nobody is in it. What it reads as decides, as after a lost race.
				reply.Class = ClassConflict
			}
			return reply
		})
}

// Read implements Vendor.
func (s statsig) Read(t Target) (Step, bool) {
	if s.Experiment {
		return Step{Call: s.api.get(s.api.at("/console/v1/experiments/%s", t.flag())), Then: func(a Answer) Reply {
			r := readState(a, experimentOff)
			r.Serves = "nobody is in the experiment: everybody gets the defaults of the code or the layer; a restart assigns everybody anew"
			return r
		}}, true
	}
	return Step{Call: s.api.get(s.api.at("/console/v1/gates/%s", t.flag())), Then: func(a Answer) Reply {
		r := readState(a, func(body []byte) (bool, error) {
			var answer struct{ Data struct{ IsEnabled *bool } }
			if err := decode(body, &answer); err != nil {
				return false, err
			}
			return isOff(answer.Data.IsEnabled)
		})
		r.Serves = "the gate is false for everybody"
		return r
	}}, true
}

// experimentOff reads the status of an experiment. A decision gives everybody
// one group, and nobody here can tell whether that is the harmful one.
func experimentOff(body []byte) (bool, error) {
	var answer struct{ Data struct{ Status string } }
	if err := decode(body, &answer); err != nil {
		return false, err
	}
	switch answer.Data.Status {
	case "setup", "abandoned", "archived":
		return true, nil
	case "decision_made":
		return false, errors.New("a decision was made for one of its groups, which everybody gets")
	case "":
		return false, errNoState
	default:
		return false, nil
	}
}

// Needs implements Vendor.
func (s statsig) Needs() string { return "a console API key of this project that may write" }
