package experiment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Million is the fineness of assignments: traffic, shares, holdouts and ranges of
// groups are whole parts of it.
const Million = 1_000_000

// Assignment says who puts units into variants, and how.
type Assignment struct {
	System   System            `json:"system"`
	Values   []json.RawMessage `json:"values,omitempty"`   // what a client gets, by index of Variants: booleans, numbers or texts; none: the variant's key
	Eligible []Audience        `json:"eligible,omitempty"` // a unit must be in one of them; none: everybody is eligible
	Holdouts []Holdout         `json:"holdouts,omitempty"` // sorted by name
	Group    *GroupRange       `json:"group,omitempty"`

	// Of other systems: what their draws are computed anew with.
	Seed    string      `json:"seed,omitempty"`
	Dialect string      `json:"dialect,omitempty"` // how the SDK hashes texts; "": as the system's public cases do
	Forced  []Condition `json:"forced,omitempty"`  // attributes of exposures that were not drawn
}

// Ours tells whether assay assigns.
func (a *Assignment) Ours() bool { return a != nil && a.System == Assay }

// System is who assigns.
type System string

// The systems.
const (
	Assay        System = "assay" // we do: `assay serve` answers OFREP
	GrowthBook   System = "growthbook"
	Unleash      System = "unleash"
	FlagdV2      System = "flagd-v2"
	LaunchDarkly System = "launchdarkly"
	Eppo         System = "eppo"
)

// The dialects; within ASCII they are one.
const (
	DialectUTF8    = "utf-8"
	DialectUTF16   = "utf-16"
	DialectLowByte = "low-byte"
)

// OwnSwitch is the kill switch of experiments that assay assigns itself.
const OwnSwitch = "assay"

// Audience is a set of attributes with the values that each may have, all of them.
type Audience map[string][]string

// Holdout keeps a part of all units out of every experiment that names it.
type Holdout struct {
	Name  string `json:"name"`
	Parts uint32 `json:"parts"` // of a million
}

// GroupRange is an experiment's part of a group of experiments that exclude one
// another: units from From on, before To, in parts of a million.
type GroupRange struct {
	Name string `json:"name"`
	From uint32 `json:"from"`
	To   uint32 `json:"to"`
}

// PartsOf is a share, 0..1, in parts of a million.
func PartsOf(share float64) uint32 { return uint32(share*Million + 0.5) }

// SaltOf is what an iteration's units are drawn with: the salt of its file, or one
// that no other experiment and no other iteration has. An iteration that carries on
// from a killed one keeps its units where they were.
func (e *Experiment) SaltOf(it *Iteration) string {
	for it.Salt == "" && it.Resumes > 0 {
		before := e.Iteration(it.Resumes)
		if before == nil {
			break
		}
		it = before
	}
	if it.Salt != "" {
		return it.Salt
	}
	return fmt.Sprintf("%s:%d", e.Key, it.Number)
}

// SplitOf are the shares that a phase's units are drawn by, by index of the variants:
// those of its file. An arm that was turned off keeps its units, which then get what
// the control gets, so that nobody else moves; also in an iteration that carries on from
// a killed one.
func (e *Experiment) SplitOf(it *Iteration, p *Phase) []float64 {
	own := p.Shares
	if p.Declared != nil {
		own = p.Declared
	}
	before := e.Iteration(it.Resumes)
	if before == nil || len(before.Phases) == 0 {
		return own
	}
	if drawn := e.SplitOf(before, &before.Phases[len(before.Phases)-1]); sameWithout(drawn, own) {
		return drawn
	}
	return own
}

// sameWithout tells whether shares are others without the arms that have none.
func sameWithout(all, some []float64) bool {
	if len(all) != len(some) {
		return false
	}
	var rest float64
	for i := range all {
		if some[i] > 0 {
			rest += all[i]
		}
	}
	for i := range all {
		if some[i] > 0 && math.Abs(all[i]-some[i]*rest) > 1e-9 {
			return false
		}
	}
	return true
}

// Value is what a client gets in a variant, as JSON.
func (e *Experiment) Value(variant int) json.RawMessage {
	if a := e.Assignment; a != nil && len(a.Values) > 0 {
		return a.Values[variant]
	}
	return quoted(e.Variants[variant].Key)
}

func quoted(text string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic("encode a text: " + err.Error()) // any text can be written
	}
	return bytes.TrimSpace(b.Bytes())
}

// fact is the assignment as part of the design. What others assign is none: we only
// compute it anew, and a wrong seed must be corrected while the iteration runs.
func (a *Assignment) fact() string {
	if !a.Ours() {
		return "none"
	}
	return a.String()
}

// recomputed writes what others assign.
func (a *Assignment) recomputed() string {
	if a == nil || a.Ours() {
		return "none"
	}
	return a.String()
}

// String writes the assignment for people.
func (a *Assignment) String() string {
	parts := []string{"system: " + string(a.System)}
	for _, v := range a.Values {
		parts = append(parts, "value: "+string(v))
	}
	for _, au := range a.Eligible {
		parts = append(parts, "eligible: "+au.String())
	}
	for _, h := range a.Holdouts {
		parts = append(parts, fmt.Sprintf("holdout %s: %s", h.Name, percent(float64(h.Parts)/Million)))
	}
	if g := a.Group; g != nil {
		parts = append(parts, "group "+g.String())
	}
	for _, f := range []struct{ name, is string }{{"seed", a.Seed}, {"dialect", a.Dialect}} {
		if f.is != "" {
			parts = append(parts, f.name+": "+f.is)
		}
	}
	for _, c := range a.Forced {
		parts = append(parts, "forced: "+c.String())
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// String writes the audience for people, its attributes sorted.
func (a Audience) String() string {
	parts := make([]string, 0, len(a))
	for _, name := range slices.Sorted(maps.Keys(a)) {
		parts = append(parts, fmt.Sprintf("%s: %q", name, a[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// String writes the range for people.
func (g *GroupRange) String() string {
	return fmt.Sprintf("%s %s to %s", g.Name, percent(float64(g.From)/Million), percent(float64(g.To)/Million))
}

func (e *Experiment) validateAssignment() error {
	a := e.Assignment
	switch {
	case a == nil:
		return nil
	case len(a.Values) > 0 && len(a.Values) != len(e.Variants):
		return fmt.Errorf("%d values for %d variants", len(a.Values), len(e.Variants))
	case a.Group != nil && (a.Group.From >= a.Group.To || a.Group.To > Million):
		return fmt.Errorf("the range of group %s is empty", a.Group)
	case a.Ours() != (e.KillSwitch == OwnSwitch):
		return fmt.Errorf("%s assigns, and the switch is %q", a.System, e.KillSwitch)
	}
	return nil
}
