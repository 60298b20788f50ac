// Package ofrep answers clients of the OpenFeature Remote Evaluation Protocol
// (0.3.0): it reads a request, asks internal/assignment and writes the answer. What it
// answers from is in memory, so that it goes on when nothing else does.
package ofrep
