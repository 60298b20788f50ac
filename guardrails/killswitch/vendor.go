package killswitch

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Vendor is what differs between flag systems. It builds calls and reads
// answers; it sends nothing and keeps no state.
type Vendor interface {
	// Off builds the call that turns the switch off. It is built anew for every
	// attempt, at the time at which it will leave.
	Off(r Request, at time.Time) (Call, error)
	// Classify says what an answer to the off call means.
	Classify(Answer) Class
	// Read builds the call that reads the state; false when there is none.
	Read(Target) (Call, bool)
	// State reads the answer to that call. An answer that does not say
	// clearly is StateUnknown and an error.
	State(Answer) (State, error)
}

// Call is an HTTP request to be sent.
type Call struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Answer is an HTTP response that was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // the first 64 KiB
}

// Class is what an answer means for the engine. The zero value is a fault: it
// is doubted and tried again.
type Class int

// The classes.
const (
	ClassFault           Class = iota // 408, 5xx: may or may not have been applied; read back, then retry
	ClassAccepted                     // claims to be done; read back
	ClassTooEarly                     // 425: not applied; retry
	ClassRateLimited                  // 429: not applied; retry when told
	ClassConflict                     // lost a race; read back, then retry
	ClassPendingApproval              // final: a person must agree
	ClassDenied                       // final: refused
	ClassNotFound                     // final: unknown flag or address
	ClassMisdirected                  // final: a redirect, which is not followed
)

// newVendor is the table of the systems that are known. Adding one is its file
// and its line here.
func newVendor(c Config) (Vendor, error) {
	switch c.Type {
	case "webhook":
		return newWebhook(c)
	default:
		return nil, fmt.Errorf("type %q is not known; known: webhook", c.Type)
	}
}

// classifyStatus is the meaning of plain HTTP, from which vendors deviate.
func classifyStatus(status int) Class {
	switch {
	case status >= 200 && status < 300:
		return ClassAccepted
	case status >= 300 && status < 400:
		return ClassMisdirected
	case status == http.StatusNotFound || status == http.StatusGone:
		return ClassNotFound
	case status == http.StatusConflict:
		return ClassConflict
	case status == http.StatusTooEarly:
		return ClassTooEarly
	case status == http.StatusTooManyRequests:
		return ClassRateLimited
	case status == http.StatusRequestTimeout || status >= 500:
		return ClassFault
	default:
		return ClassDenied
	}
}

// expand fills the placeholders of an address.
func expand(template string, t Target) string {
	return strings.NewReplacer(
		"{experiment}", url.PathEscape(t.Experiment),
		"{flag}", url.PathEscape(t.flag()),
	).Replace(template)
}

// headers turns configured headers into a set that can be sent.
func headers(configured map[string]Secret) http.Header {
	h := make(http.Header, len(configured)+4)
	for name, value := range configured {
		h.Set(name, string(value))
	}
	return h
}
