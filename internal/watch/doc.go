// Package watch is the guard: at least every second it takes a look at the running
// experiments, judges their guardrails, writes down what follows and does it.
//
// The order within a round is the promise of the package:
//
//	decision log, version, what the shards say → one query → judge
//	→ write the decision, and store the look beside it → only then act
//
// The shards' words are read before the query, so that freshness never claims
// more than the numbers hold. A decision is a compare-and-append: of two guards
// that come to the same verdict one writes it, the other reads it. A kill runs
// beside the loop, under the key that its decision fixed, and writes each step;
// after a crash the next guard finds it in the log and carries on.
//
// A kill that is denied, pending or failed ends nothing: counting goes on and
// people are told. Only when the switch was read back as off does the iteration
// end, at the time at which the accepted call was sent.
package watch
