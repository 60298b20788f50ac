package killswitch

import (
	"net/http"
	"strings"
)

// ofrep reads the state of a flag as a client gets it: by evaluating it. Source:
// OFREP 0.3.0, open-feature/protocol, service/openapi.yaml.
type ofrep struct{ api api }

func newOFREP(address string, token Secret) ofrep {
	a := newAPI(address, "Authorization", "Bearer "+string(token))
	if token == "" {
		a.header.Del("Authorization")
	}
	return ofrep{a}
}

// readBackUnit is for whom the flag is evaluated.
const readBackUnit = "assay-read-back"

// read asks for an evaluation, whose reason says DISABLED of a flag that is off.
func (o ofrep) read(t Target) (Step, bool) {
	step, err := o.api.step(http.MethodPost, o.api.at("/ofrep/v1/evaluate/flags/%s", t.flag()),
		map[string]any{"context": map[string]string{"targetingKey": readBackUnit}}, func(a Answer) Reply {
			r := readState(a, evaluatedOff)
			// A flagd of before the reason DISABLED answers as if there were no such
			// flag, but for the details (core/pkg/service/ofrep/models.go).
			var failure struct{ ErrorDetails string }
			if a.Status == http.StatusNotFound && decode(a.Body, &failure) == nil && strings.HasSuffix(failure.ErrorDetails, "` is disabled") {
				r.State, r.Why = StateOff, ""
			}
			r.Serves = "everybody gets the code's own default"
			return r
		})
	return step, err == nil
}

// evaluatedOff reads the reason of an evaluation.
func evaluatedOff(body []byte) (bool, error) {
	var evaluation struct{ Reason string }
	if err := decode(body, &evaluation); err != nil {
		return false, err
	}
	if evaluation.Reason == "" {
		return false, errNoState
	}
	return evaluation.Reason == "DISABLED", nil
}
