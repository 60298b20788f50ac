package notify

import (
	"context"
	"errors"
	"time"
)

// Channel is one way to people. Its Send is called by one goroutine at a time.
type Channel interface {
	// Send makes one attempt and returns within the context. An error that is no
	// *Failure may be tried again.
	Send(ctx context.Context, m Message) error
}

// Failure is an attempt that did not reach everybody.
type Failure struct {
	Err     error
	Final   bool          // trying again would change nothing
	Partial bool          // it reached somebody
	After   time.Duration // how long the other side asks to be left alone; 0: it does not say
}

// Error implements error.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap implements the errors package's protocol.
func (f *Failure) Unwrap() error { return f.Err }

// final is an error that no retry mends.
func final(err error) error { return &Failure{Err: err, Final: true} }

// failureOf is what an error says about trying again.
func failureOf(err error) Failure {
	var f *Failure
	if errors.As(err, &f) {
		return *f
	}
	return Failure{Err: err}
}

const (
	firstPause   = time.Second
	longestPause = time.Minute
)

// pause is how long to wait after the n-th failed attempt (from 1): doubling,
// with the upper half random so that two guards don't come back together, and
// never less than what was asked for.
func pause(n int, asked time.Duration, random float64) time.Duration {
	p := longestPause
	if n < 7 { // 1 s · 2⁶ is past the longest
		p = min(p, firstPause<<(n-1))
	}
	return max(asked, p/2+time.Duration(random*float64(p/2)))
}
