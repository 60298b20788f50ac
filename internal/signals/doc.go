// Package signals judges numbers of services that are read beside an experiment: whether
// a circuit breaker trips, and whether the level changed at a step of a ramp. It is pure:
// readings and the time come in as values. A signal compares no arms. It may warn, and
// hold a ramp; it advances nothing and kills nothing.
package signals
