// Package realofrep runs OpenFeature's own clients of OFREP for tests: those for
// Node.js, browsers, Python and Java, each in a process of its own, and the SDK for Go
// with a provider of a few lines. That what is answered is understood is proved on them
// and not on an imitation.
//
// The clients come from `make openfeature`.
package realofrep
