package kafka

import (
	"errors"
	"fmt"
)

// The states of a shard, as its status says them. In all but [StateOK] a guard
// must take it for blind.
const (
	StateOK         = "ok"
	StateLoading    = "loading"    // state comes back from the store, or a fault is being retried
	StateGap        = "gap"        // records were lost before they were read; --accept-gap goes on
	StatePartitions = "partitions" // a topic's number of partitions changed
	StateChain      = "chain"      // the ledger is not the chain that it must be
	StateMisplaced  = "misplaced"  // too many records in the wrong partition; it goes on counting
	StateMissing    = "missing"    // records were counted, are not stored and cannot be read again
)

// halt is why a shard stands still until somebody does something.
type halt struct{ state, detail string }

func (h *halt) Error() string { return fmt.Sprintf("shard stopped (%s): %s", h.state, h.detail) }

// Reasons for starting a shard again that are nobody's fault.
var (
	errLost     = errors.New("the next part was written by somebody else")
	errReloaded = errors.New("the topics changed")
	errBack     = errors.New("the ledger went back: it was truncated or restored")
)

// TopicsError says that the topics cannot be read together, and what to do.
type TopicsError struct {
	Problem, Remedy string
	unequal         bool
}

func (e *TopicsError) Error() string { return e.Problem }

// Hint says what to do about it.
func (e *TopicsError) Hint() string { return e.Remedy }

// StoppedError is the end of a run until the end that some shards cannot reach.
type StoppedError struct {
	Shard         uint16
	State, Detail string
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("shard %d stopped (%s): %s", e.Shard, e.State, e.Detail)
}
