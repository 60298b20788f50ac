// Package ingest is the pure part of the way from a log to moments: decoding of
// events, identity, first exposure, attribution, crossover and the delta moments
// that make every sum exact. It does no I/O, reads no clock and logs nothing.
//
// Everything that a Joiner has emitted is at any moment the difference between
// nothing and a function of two things: the set of accepted records, each with
// its place, and one configuration version. The order of arrival, the borders of
// batches and the number of consumers cannot be seen in the sums.
//
// # State
//
// A joiner's state is a cache of stored rows. An event is a row of 32 bytes and
// 8 bytes of its identity's hash in a table that is nearly three quarters full; a
// unit is 32 bytes in such a table, and in each iteration 32 more and 8 for each
// metric. Names, variants and attributes are kept once for all rows that share
// them.
//
// The limit on memory is held by evicting whole units, those first that were
// touched longest ago, and only when everything of theirs is durable. A filter of
// twelve bits a unit remembers who went. A unit that may be among them is read
// back before its next event is added: late events, duplicates after weeks,
// restarts and the limit are one mechanism, and none of them can be seen in the
// sums.
package ingest
