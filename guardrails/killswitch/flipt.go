package killswitch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"time"
)

// Flipt is a Flipt server of version 2, whose flags are read, edited and
// replaced whole. Sources: docs.flipt.io/v2/reference, and answers of 2.11.
type Flipt struct {
	URL         string
	Token       Secret // empty where the server asks for none
	Environment string // default "default"
	Namespace   string // default "default"
}

type flipt struct {
	Flipt
	api api
}

func (f Flipt) secrets() []Secret { return []Secret{f.Token} }

func (f Flipt) vendor() (Vendor, error) {
	f.Environment, f.Namespace = cmp.Or(f.Environment, "default"), cmp.Or(f.Namespace, "default")
	if err := checkBase(f.URL); err != nil {
		return nil, err
	}
	out := flipt{f, newAPI(f.URL, "Authorization", "Bearer "+string(f.Token))}
	if f.Token == "" {
		out.api.header.Del("Authorization")
	}
	return out, nil
}

const fliptFlag = "flipt.core.Flag"

// resource is a flag as Flipt answers it. What is not known of it is kept.
type resource struct {
	Resource struct {
		Payload map[string]json.RawMessage
	}
	Revision string
}

// off tells whether the flag is. The value of a boolean flag is what its
// rollouts say, and `enabled` only where none of them applies.
func (r resource) off() (bool, error) {
	var on *bool
	if enabled, ok := r.Resource.Payload["enabled"]; ok {
		if err := decode(enabled, &on); err != nil {
			return false, err
		}
	} else if r.Resource.Payload["key"] != nil {
		on = new(bool) // a value of false may be left out
	}
	off, err := isOff(on)
	return off && !r.overruled(), err
}

// overruled tells a boolean flag with rollouts.
func (r resource) overruled() bool {
	rollouts := bytes.TrimSpace(r.Resource.Payload["rollouts"])
	boolean := bytes.Contains(r.Resource.Payload["type"], []byte("BOOLEAN"))
	return boolean && len(rollouts) > 0 && string(rollouts) != "null" && string(rollouts) != "[]"
}

// Off implements Vendor. The revision is that of the whole repository: any edit
// in between is a conflict, and the plan begins anew with what is there then.
func (f flipt) Off(r Request, _ time.Time) (Step, error) {
	return Step{Call: f.api.get(f.flag(r.Target)), Aside: true, Then: func(a Answer) Reply {
		var found resource
		if a.Status != http.StatusOK {
			return plain(a)
		}
		if err := decode(a.Body, &found); err != nil {
			return Reply{Class: ClassFault, Why: err.Error()}
		}
		if off, err := found.off(); err != nil || off {
			return Reply{Class: ClassConflict, Why: "it had been turned off meanwhile"}
		}
		put, err := f.put(r, found)
		if err != nil {
			return Reply{Class: ClassDenied, Why: err.Error()}
		}
		reply := Reply{Next: &put}
		if found.overruled() {
			before, err := json.Marshal(found.Resource.Payload)
			if err != nil {
				return Reply{Class: ClassDenied, Why: err.Error()}
			}
			reply.Saved = string(before)
		}
		return reply
	}}, nil
}

func (f flipt) put(r Request, found resource) (Step, error) {
	payload := map[string]json.RawMessage{}
	for name, value := range found.Resource.Payload {
		payload[name] = value
	}
	payload["@type"], payload["enabled"] = json.RawMessage(`"`+fliptFlag+`"`), json.RawMessage("false")
	if found.overruled() {
		payload["rollouts"] = json.RawMessage("[]")
	}
	return f.api.step(http.MethodPut, f.api.at("/api/v2/environments/%s/namespaces/%s/resources", f.Environment, f.Namespace), map[string]any{
		"key": r.flag(), "revision": found.Revision, "payload": payload,
	}, plain)
}

func (f flipt) flag(t Target) string {
	return f.api.at("/api/v2/environments/%s/namespaces/%s/resources/"+fliptFlag+"/%s", f.Environment, f.Namespace, t.flag())
}

// Read implements Vendor.
func (f flipt) Read(t Target) (Step, bool) {
	return Step{Call: f.api.get(f.flag(t)), Then: func(a Answer) Reply {
		r := readState(a, func(body []byte) (bool, error) {
			var found resource
			if err := decode(body, &found); err != nil {
				return false, err
			}
			return found.off()
		})
		r.Serves = "everybody gets false of a boolean flag, and of a variant flag no variant, so the code's own default"
		return r
	}}, true
}

// Needs implements Vendor.
func (f flipt) Needs() string {
	return "a client token that may read and write flags in the namespace " + f.Namespace + " of the environment " + f.Environment
}
