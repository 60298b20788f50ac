// Package experiment holds the words of the domain: experiments, iterations,
// phases, variants, metrics, guardrails, and the version of the configuration
// that ties them to event time. It is pure: it parses bytes, compares
// definitions and says what may change; it reads no file and no clock.
//
// A Version is a timeline. Each fact in it (an iteration, a phase, an end, a
// metric) holds for event times from its own start on, so that a consumer can
// judge an event of last week by what was in force last week.
package experiment
