package experiment

// What an exposure may say of its unit's consent.
const (
	ConsentGranted     = "granted"
	ConsentDenied      = "denied"
	ConsentUnknown     = "unknown"      // what an exposure says that says nothing
	ConsentNotRequired = "not_required" // it rests on something else than consent
)

// Consent is what an exposure must say to count for its unit. One that does not is
// stored and counted without the unit, and nothing else is known of it.
type Consent struct {
	Require ConsentRule `json:"require,omitempty"` // "": nothing is asked
}

// ConsentRule is what is asked.
type ConsentRule string

// The rules. Both take an exposure that says not_required.
const (
	RequireGranted   ConsentRule = "granted"    // only who said yes
	RequireNotDenied ConsentRule = "not_denied" // everybody but who said no
)

// Asks tells whether anything is asked.
func (c Consent) Asks() bool { return c.Require != "" }

// Accepts tells whether an exposure that says this counts for its unit.
func (c Consent) Accepts(said string) bool {
	switch {
	case !c.Asks() || said == ConsentGranted || said == ConsentNotRequired:
		return true
	case c.Require == RequireNotDenied:
		return said != ConsentDenied
	}
	return false
}

// String is the rule as a fact of the design.
func (c Consent) String() string {
	if !c.Asks() {
		return "none"
	}
	return string(c.Require)
}

// AsksConsent tells whether the experiment asks for consent, now or in an iteration.
func (e *Experiment) AsksConsent() bool {
	if e.Consent.Asks() {
		return true
	}
	for i := range e.Iterations {
		if e.AsOf(&e.Iterations[i]).Consent.Asks() {
			return true
		}
	}
	return false
}

func consentFields() []field[Consent] {
	return []field[Consent]{
		must(as("require", choice(RequireGranted, RequireNotDenied), func(c *Consent) *ConsentRule { return &c.Require }, "granted: only exposures that say granted count for their unit; not_denied: those of unknown consent too. not_required always counts.")),
	}
}
