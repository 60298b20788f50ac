package experiment

// Attributes says which attributes of a first exposure are believed.
type Attributes string

// The choices. The zero value believes all.
const (
	AnyAttributes      Attributes = "any"
	VerifiedAttributes Attributes = "verified" // of an exposure that proves nothing, none: no dimension, exclude or covariate
)

// String is the choice as a fact of the design.
func (a Attributes) String() string {
	if a == "" {
		return string(AnyAttributes)
	}
	return string(a)
}
