package experiment

import (
	"fmt"
	"slices"
)

// kinds lists the metric kinds in the order in which files and messages name them.
func kinds() []Kind { return []Kind{Mean, Sum, Count, Proportion, Retention, Ratio, Quantile} }

// needed lists the fields that a kind cannot do without.
func needed(k Kind) []string {
	switch k {
	case Ratio:
		return []string{"numerator", "denominator"}
	case Retention:
		return []string{"event", "to"}
	case Quantile:
		return []string{"event", "quantile"}
	default:
		return []string{"event"}
	}
}

// useless lists the fields that a kind has no use for. A field that stands there
// and does nothing would be a misunderstanding. Not in the list: value and
// decimals, which reading decides.
func useless(k Kind) []string {
	parts, stretch, quantile := []string{"numerator", "denominator"}, []string{"from", "to"}, []string{"quantile"}
	switch k {
	case Ratio:
		return slices.Concat(stretch, quantile, []string{"event", "value", "where", "decimals", "cap"})
	case Retention:
		return slices.Concat(parts, quantile, []string{"window", "cap"})
	case Quantile:
		return slices.Concat(parts, stretch, []string{"cap", "covariate"})
	case Proportion:
		return slices.Concat(parts, stretch, quantile, []string{"cap"})
	default:
		return slices.Concat(parts, stretch, quantile)
	}
}

func checkNeeds(s *source, k Kind) {
	for _, f := range needed(k) {
		if !s.written(f) {
			s.refuse("kind", RuleMissingField, fmt.Sprintf("a %s has no %s", k, f), fmt.Sprintf("add %s:", f))
		}
	}
}

func checkUses(s *source, k Kind) {
	for _, f := range useless(k) {
		if s.written(f) {
			s.refuse(f, RuleValueUnused, fmt.Sprintf("a %s has no use for %s", k, f), "take the line out")
		}
	}
}
