package clickhouse

import (
	"errors"
	"fmt"
)

// ErrConflict is the sentinel of [ConflictError].
var ErrConflict = errors.New("somebody else was first")

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ConflictError says that the number of a row in a chain was taken.
type ConflictError struct {
	Chain  string // "configuration version" or "decision"
	Number uint64
	Author string // who was first
}

// Error says who was first.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s %d was written by %s", e.Chain, e.Number, e.Author)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
