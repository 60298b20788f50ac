package simulate

import "time"

// Story is what is true of one experiment: who comes, and what each variant
// does to them. Nobody but the traffic reads it.
type Story struct {
	Key   string        // of the experiment and of its flag
	Rate  float64       // new visitors a second
	Stops time.Duration // its producer dies so long after the start; 0: never
	Base  []Habit       // what users do when the flag is off
	Arms  []Arm         // the variants, in the order of the flag
}

// Arm is one variant.
type Arm struct {
	Variant string
	Weight  uint32  // its share of the visitors, relative to the other arms
	Lost    float64 // probability that an exposure is never logged, 0..1
	Habits  []Habit
}

// Habit is something that a visitor may do after arriving.
type Habit struct {
	Event  string
	Chance float64 // of each try, 0..1
	Tries  int     // independent tries; 0 means 1
	// The value is drawn evenly from [Low, High] in hundredths. Both zero: the
	// event carries no value.
	Low, High int
}

// Flag returns the flag that splits the story's visitors.
func (s Story) Flag() Flag {
	f := Flag{Key: s.Key, Salt: s.Key + "/1"}
	for _, a := range s.Arms {
		f.Variants = append(f.Variants, Split{a.Variant, a.Weight})
	}
	return f
}

// arm finds a variant; nil for the variant of a flag that is off.
func (s Story) arm(variant string) *Arm {
	for i := range s.Arms {
		if s.Arms[i].Variant == variant {
			return &s.Arms[i]
		}
	}
	return nil
}

// other is an arm beside the one named, for visitors who see both.
func (s Story) other(variant string) string {
	for _, a := range s.Arms {
		if a.Variant != variant {
			return a.Variant
		}
	}
	return variant
}
