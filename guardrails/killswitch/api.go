package killswitch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// api builds calls to one JSON API.
type api struct {
	base   string
	header http.Header
}

// newAPI takes the address without a slash at its end, and a header that says
// who asks.
func newAPI(base, header, value string) api {
	return api{strings.TrimRight(base, "/"), http.Header{"Accept": {"application/json"}, http.CanonicalHeaderKey(header): {value}}}
}

// at is an address below the API's: the arguments of the path are escaped.
func (a api) at(path string, keys ...string) string {
	escaped := make([]any, len(keys))
	for i, key := range keys {
		escaped[i] = url.PathEscape(key)
	}
	return a.base + fmt.Sprintf(path, escaped...)
}

// step is a call and how its answer is read.
func (a api) step(method, address string, body any, then func(Answer) Reply) (Step, error) {
	call, err := a.call(method, address, body)
	return Step{Call: call, Then: then}, err
}

// get reads an address.
func (a api) get(address string) Call {
	return Call{Method: http.MethodGet, URL: address, Header: a.header}
}

// call writes to an address. A nil body is none.
func (a api) call(method, address string, body any) (Call, error) {
	c := Call{Method: method, URL: address, Header: a.header}
	if body == nil {
		return c, nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return Call{}, fmt.Errorf("write the call: %w", err)
	}
	c.Body, c.Header = text, a.header.Clone()
	c.Header.Set("Content-Type", "application/json")
	return c, nil
}

// need refuses an empty setting, by name and value in turn.
func need(settings ...string) error {
	for i := 0; i < len(settings); i += 2 {
		if settings[i+1] == "" {
			return fmt.Errorf("%s is missing", settings[i])
		}
	}
	return nil
}

// errNoState says that an answer does not hold what its documentation promises.
var errNoState = errors.New("the answer does not say whether the flag is on")

// because is the reason in the system's own log. The key tells which decision it was.
func because(r Request) string {
	text := "assay " + r.Key + ": " + r.Reason
	if r.Evidence != "" {
		text += " (" + r.Evidence + ")"
	}
	return text
}

// decode reads a document of an answer.
func decode(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return errors.New("the answer is not the JSON that is documented")
	}
	return nil
}

// isOff turns a field that says "on" around; it must be there.
func isOff(on *bool) (bool, error) {
	if on == nil {
		return false, errNoState
	}
	return !*on, nil
}
