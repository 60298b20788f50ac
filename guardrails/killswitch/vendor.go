package killswitch

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Vendor is what differs between flag systems. It plans calls and reads
// answers; it sends nothing and keeps no state.
type Vendor interface {
	// Off plans how the switch is turned off. The plan is made anew for every
	// attempt, at the time at which its first call will leave.
	Off(r Request, at time.Time) (Step, error)
	// Read plans how the state is read; false when it cannot be.
	Read(Target) (Step, bool)
	// Needs says, for people, the least that its token must be allowed.
	Needs() string
}

// trier is a vendor that can try an off call without carrying it out.
type trier interface {
	Try(Target) (Step, error)
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
		"{arm}", url.PathEscape(t.Arm),
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
