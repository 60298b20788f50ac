// Package guardrails decides whether an experiment does harm. It is pure: it
// reads no clock, fetches nothing and acts on nothing. Time comes with the
// observation, memory with the state:
//
//	Rule  × State × Observation → Step → State × Verdict
//
// A Rule is one guardrail for one treatment arm. A Verdict says what is known
// (Kind), why (Reason, a closed list), what may be done about it now (Act), and
// carries every number that it stands on. Whoever runs Step writes the verdict
// into the decision log (Entry) before doing anything; Fold reads that log back
// and says what was already decided, so that nothing is decided twice.
//
// Only two verdicts can turn an experiment off: harm beyond the margin, and,
// where the rule asks for it, one arm that is silent while the other goes on.
// Lost freshness, gaps, a broken split or a failed query never do.
// docs/guardrails.md explains the verdicts to the people who get the page.
package guardrails
