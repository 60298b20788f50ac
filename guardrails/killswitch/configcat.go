package killswitch

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ConfigCat has no "enabled": to turn a setting off is to serve one value to
// everybody, over its targeting rules. Sources: configcat.com/docs/api/reference
// (get and update setting value by SDK key, v2).
type ConfigCat struct {
	URL      string // default https://api.configcat.com
	User     Secret // of the public API's credentials
	Password Secret
	SDKKey   Secret // says which config and environment
	Off      string // the value that is served; default false, of settings that are not boolean it must be named
}

type configCat struct {
	ConfigCat
	api api
}

func (c ConfigCat) secrets() []Secret {
	basic := base64.StdEncoding.EncodeToString([]byte(string(c.User) + ":" + string(c.Password)))
	return []Secret{c.User, c.Password, c.SDKKey, Secret(basic)}
}

func (c ConfigCat) vendor() (Vendor, error) {
	c.URL = cmp.Or(c.URL, "https://api.configcat.com")
	if err := checkBase(c.URL); err != nil {
		return nil, err
	}
	if err := need("user", string(c.User), "password", string(c.Password), "sdk_key", string(c.SDKKey)); err != nil {
		return nil, err
	}
	out := configCat{c, newAPI(c.URL, "X-CONFIGCAT-SDKKEY", string(c.SDKKey))}
	out.api.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(string(c.User)+":"+string(c.Password))))
	return out, nil
}

// setting is what is served now. Rules and values are kept as they are written.
type setting struct {
	Default   map[string]json.RawMessage `json:"defaultValue"`
	Rules     []json.RawMessage          `json:"targetingRules"`
	Attribute json.RawMessage            `json:"percentageEvaluationAttribute,omitempty"`
	Setting   *struct {
		Type string `json:"settingType"`
	} `json:"setting,omitempty"`
}

// value is the field of the default value for the setting's type, and what
// stands there when it is off.
func (c configCat) value(s setting) (field string, off json.RawMessage, err error) {
	if s.Setting == nil {
		return "", nil, errNoState
	}
	quoted := false
	switch s.Setting.Type {
	case "boolean":
		field = "boolValue"
	case "string":
		field, quoted = "stringValue", true
	case "int":
		field = "intValue"
	case "double":
		field = "doubleValue"
	default:
		return "", nil, errors.New("the setting has a type that is not known: " + strconv.Quote(s.Setting.Type))
	}
	text := c.ConfigCat.Off
	switch {
	case text == "" && field != "boolValue":
		return "", nil, errors.New("the setting is no boolean: name under off what it serves when it is off")
	case text == "":
		text = "false"
	case quoted:
		text = strconv.Quote(text)
	}
	if !json.Valid([]byte(text)) {
		return "", nil, fmt.Errorf("off is no %s", s.Setting.Type)
	}
	return field, json.RawMessage(text), nil
}

// off tells whether everybody is served the value of off.
func (c configCat) off(s setting) (bool, error) {
	field, off, err := c.value(s)
	if err != nil {
		return false, err
	}
	now, ok := s.Default[field]
	if !ok {
		return false, errNoState
	}
	var a, b any // 0 and 0.0 are one number
	if err := errors.Join(decode(now, &a), decode(off, &b)); err != nil {
		return false, err
	}
	return len(s.Rules) == 0 && a == b, nil
}

func (c configCat) address(t Target) string { return c.api.at("/v2/settings/%s/value", t.flag()) }

// Off implements Vendor. It reads first, to keep what the call destroys.
func (c configCat) Off(r Request, _ time.Time) (Step, error) {
	return Step{Call: c.api.get(c.address(r.Target)), Aside: true, Then: func(a Answer) Reply {
		var before setting
		if a.Status != http.StatusOK {
			return c.plain(a)
		}
		if err := decode(a.Body, &before); err != nil {
			return Reply{Class: ClassFault, Why: err.Error()}
		}
		field, value, err := c.value(before)
		if err != nil {
			return Reply{Class: ClassDenied, Why: err.Error()}
		}
		if off, err := c.off(before); err == nil && off {
			return Reply{Class: ClassConflict, Why: "it had been turned off meanwhile"}
		}
		before.Setting = nil
		saved, err := json.Marshal(before)
		if err != nil {
			return Reply{Class: ClassDenied, Why: err.Error()}
		}
		patch, err := c.api.step(http.MethodPatch, c.address(r.Target)+"?reason="+url.QueryEscape(because(r)), []map[string]any{
			{"op": "replace", "path": "/targetingRules", "value": []any{}},
			{"op": "replace", "path": "/defaultValue/" + field, "value": value},
		}, c.plain)
		if err != nil {
			return Reply{Class: ClassDenied, Why: err.Error()}
		}
		return Reply{Next: &patch, Saved: string(saved)}
	}}, nil
}

// plain adds ConfigCat's own header: the time at which the period of a limit ends.
func (c configCat) plain(a Answer) Reply {
	r := plain(a)
	if r.Class != ClassRateLimited {
		return r
	}
	text := a.Header.Get("X-Rate-Limit-Reset")
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		r.Wait = max(at.Sub(a.At), 0)
	} else if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		r.Wait = max(time.Unix(seconds, 0).Sub(a.At), 0)
	}
	return r
}

// Read implements Vendor.
func (c configCat) Read(t Target) (Step, bool) {
	return Step{Call: c.api.get(c.address(t)), Then: func(a Answer) Reply {
		r := readState(a, func(body []byte) (bool, error) {
			var now setting
			if err := decode(body, &now); err != nil {
				return false, err
			}
			return c.off(now)
		})
		r.Serves = "everybody gets " + cmp.Or(c.ConfigCat.Off, "false") + "; the targeting rules are gone"
		return r
	}}, true
}

// Needs implements Vendor.
func (c configCat) Needs() string {
	return "credentials of the public management API of a user whose permission group may write feature flags in this environment alone"
}
