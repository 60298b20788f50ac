package app

import "errors"

// hinted is an error that knows what to do about it.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Hint implements the interface that the function Hint looks for.
func (h hinted) Hint() string { return h.hint }

// WithHint adds what to do to an error.
func WithHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return hinted{err, hint}
}

// Hint returns what to do about an error, or "" when nobody knows.
func Hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
