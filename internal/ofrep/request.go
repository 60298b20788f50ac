package ofrep

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// maxBody bounds what a request says of one unit.
const maxBody = 64 << 10

// asking is whom an answer is for.
type asking struct {
	unit       string
	attributes map[string]string
}

// failure is why there is no answer, as the protocol says it.
type failure struct {
	Key     string `json:"key,omitempty"`
	Code    string `json:"errorCode"`
	Details string `json:"errorDetails,omitempty"`
}

const targetingKey = "targetingKey"

// read takes a request apart.
func read(w http.ResponseWriter, r *http.Request) (asking, *failure) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return asking{}, &failure{Code: "INVALID_CONTEXT", Details: "the request has more than " + strconv.Itoa(maxBody) + " bytes"}
		}
		return asking{}, &failure{Code: "PARSE_ERROR", Details: "the request did not arrive whole"}
	}
	var body struct {
		Context json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return asking{}, &failure{Code: "PARSE_ERROR", Details: "the request is not a JSON object"}
	}
	var context map[string]json.RawMessage
	if body.Context != nil {
		if err := json.Unmarshal(body.Context, &context); err != nil {
			return asking{}, &failure{Code: "INVALID_CONTEXT", Details: "context is not an object"}
		}
	}
	key, ok := context[targetingKey]
	if !ok || string(key) == "null" {
		return asking{}, missing()
	}
	a := asking{attributes: make(map[string]string, len(context))}
	if err := json.Unmarshal(key, &a.unit); err != nil {
		return asking{}, &failure{Code: "INVALID_CONTEXT", Details: "targetingKey is not a text"}
	}
	if a.unit == "" {
		return asking{}, missing()
	}
	for name, value := range context {
		if text, ok := plain(value); ok {
			a.attributes[name] = text
		}
	}
	return a, nil
}

func missing() *failure {
	return &failure{Code: "TARGETING_KEY_MISSING", Details: "context.targetingKey names the unit: a user, a device …"}
}

// plain is an attribute as experiment files write its values: a text as it is, a
// number in its shortest decimal form, true or false. Lists and objects are none.
func plain(value json.RawMessage) (string, bool) {
	switch value[0] {
	case '"':
		var text string
		err := json.Unmarshal(value, &text)
		return text, err == nil
	case 't', 'f':
		return string(value), true
	case '{', '[', 'n':
		return "", false
	default:
		x, err := strconv.ParseFloat(string(value), 64)
		return strconv.FormatFloat(x, 'f', -1, 64), err == nil
	}
}
