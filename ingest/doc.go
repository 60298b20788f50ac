// Package ingest is the pure part of the way from a log to moments: decoding of
// events, identity, first exposure, attribution, crossover and the delta moments
// that make every sum exact. It does no I/O, reads no clock and logs nothing.
//
// Everything that a Joiner has emitted is at any moment the difference between
// nothing and a function of two things: the set of accepted records, each with
// its place, and one configuration version. The order of arrival, the borders of
// batches and the number of consumers cannot be seen in the sums.
package ingest
