package guardrails

import "fmt"

// Kind is what is known about a guardrail.
type Kind uint8

// The kinds. The zero value claims nothing.
const (
	Inconclusive Kind = iota // looked, but nothing is shown either way
	Healthy                  // harm as large as the margin is refuted, on matured data
	Breached                 // harm beyond the margin is shown
	Blind                    // the data cannot be trusted to be there: missing is not zero
	Error                    // the rule cannot be computed at all
)

var kindNames = [...]string{"inconclusive", "healthy", "breached", "blind", "error"}

// String is the word used in files, logs and pages.
func (k Kind) String() string { return name(kindNames[:], uint8(k)) }

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(b []byte) error {
	i, err := parse("verdict", kindNames[:], string(b))
	*k = Kind(i)
	return err
}

// Act is what a verdict leads to. Acts are ordered: a greater one does more.
type Act uint8

// The acts. The zero value does nothing.
const (
	DoNothing Act = iota
	DoObserve     // write down what would be done
	DoNotify      // tell people
	DoKill        // turn the experiment off
)

var actNames = [...]string{"nothing", "observe", "notify", "kill"}

// String is the word used in files, logs and pages.
func (a Act) String() string { return name(actNames[:], uint8(a)) }

// MarshalText implements encoding.TextMarshaler.
func (a Act) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Act) UnmarshalText(b []byte) error {
	i, err := parse("act", actNames[:], string(b))
	*a = Act(i)
	return err
}

func name(names []string, i uint8) string {
	if int(i) >= len(names) {
		return fmt.Sprintf("invalid(%d)", i)
	}
	return names[i]
}

func parse(what string, names []string, s string) (uint8, error) {
	for i, n := range names {
		if n == s {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no %s: write one of %v", s, what, names)
}
