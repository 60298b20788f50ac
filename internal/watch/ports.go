package watch

import (
	"context"
	"errors"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Versions is the append-only list of configuration versions.
type Versions interface {
	VersionNumber(ctx context.Context) (uint32, error)
	VersionAt(ctx context.Context, number uint32) (experiment.Version, error)
	// AppendVersion fails when the number is taken.
	AppendVersion(ctx context.Context, v experiment.Version) error
}

// Query asks for one iteration. A slot that starts before the time given for a
// metric has matured.
type Query struct {
	Experiment string
	Iteration  uint32
	Matured    map[string]time.Time
	Dimensions bool
}

// Ledger is what was counted.
type Ledger interface {
	Statuses(ctx context.Context) ([]results.ShardStatus, error)
	// Moments answers all queries at one position of every shard.
	Moments(ctx context.Context, queries []Query) (results.Moments, error)
}

// Fates says what became of the records between two positions of the shards.
type Fates interface {
	Fates(ctx context.Context, after, upto map[uint16]uint64) ([]results.Fates, error)
}

// Journal is the decision log.
type Journal interface {
	// Entries returns the entries after a number, in order.
	Entries(ctx context.Context, after uint64) ([]guardrails.Entry, error)
	// Append stores e as number e.Seq, after the entry whose hash is given ("" for the
	// first), and returns its hash, or guardrails.ErrTaken.
	Append(ctx context.Context, e guardrails.Entry, after string) (hash string, err error)
}

// Look is a document about to be stored.
type Look struct {
	ID       string // given by Looks.NewID
	Verdict  guardrails.Kind
	Document *results.Document
}

// ErrNodeAway says that a server with some of the shards does not answer: what is asked
// is missing, and nothing is wrong with it.
var ErrNodeAway = errors.New("a node is away")

// ErrNoLook says that there is no look with an id.
var ErrNoLook = errors.New("no such look")

// Looks stores documents.
type Looks interface {
	// NewID names a look of that time before it is stored.
	NewID(at time.Time) string
	Store(ctx context.Context, looks []*Look) error
	// Keep says that a decision rests on a look, which then stays for ever; it is
	// ErrNoLook when that was never stored.
	Keep(ctx context.Context, id string, decision uint64) error
	// Recent are guard looks at an iteration since a time, oldest first, at most one
	// each ten seconds.
	Recent(ctx context.Context, experiment string, iteration uint32, since time.Time) ([]*results.Document, error)
}

// Order asks for an experiment to be turned off.
type Order struct {
	Key        string // idempotency key: the same decision always has the same
	Switch     string // name in the operator's configuration
	Experiment string
	Arm        string // only this arm; "": the experiment
	Iteration  uint32
	DecidedAt  time.Time
	Reason     string
	Evidence   string

	// Keep, when set, hears what the off call will overwrite in the flag system,
	// before it leaves.
	Keep func(saved string)
}

// Result is how an order ended.
type Result struct {
	State  guardrails.EntryKind // Verified, Denied, PendingApproval or Failed
	OffAt  time.Time            // of Verified: when the accepted call was sent, or it was seen to be off already
	Detail string
}

// Switch turns experiments off.
type Switch interface {
	// Off retries, reads back and ends within a deadline of its own. progress
	// hears of Sending and Accepted with the time at which the call left; it may
	// be called from Off's goroutine only. The error is for orders that cannot be
	// carried out at all.
	Off(ctx context.Context, o Order, progress func(guardrails.EntryKind, time.Time)) (Result, error)
	// IsOff reads what the switch of an order reads as, now.
	IsOff(ctx context.Context, o Order) (bool, error)
	// Drill does everything of Off but the write.
	Drill(ctx context.Context, o Order) (Drill, error)
}

// Arms knows which arms can be turned off by themselves.
type Arms interface {
	OffersArm(sw, arm string) bool
}

// Traffic sets how many of the eligible units take part.
type Traffic interface {
	// CannotSet says why a switch cannot carry a ramp out; "" when it can.
	CannotSet(sw string, r *experiment.Ramp) string
	// SetTraffic does it, as Off turns off.
	SetTraffic(ctx context.Context, o TrafficOrder, progress func(guardrails.EntryKind, time.Time)) (Result, error)
	// HasTraffic reads whether a switch has one of some traffics for an experiment, and
	// what it reads as.
	HasTraffic(ctx context.Context, sw, experiment string, traffic ...float64) (has bool, reads string, err error)
}

// Holds says why nothing of an experiment may grow, "" when it may. It must return at once.
type Holds interface {
	Held(e *experiment.Experiment) string
}

// TrafficOrder asks for a move of a ramp.
type TrafficOrder struct {
	Order
	guardrails.Move
}

// Drill is what a kill would do. It holds no secret.
type Drill struct {
	Switch  string   `json:"switch"`
	Reads   string   `json:"reads"`             // on, off or unknown
	Trouble string   `json:"trouble,omitempty"` // why a kill would fail, or could not be verified
	Remedy  string   `json:"remedy,omitempty"`  // what to do about it
	Method  string   `json:"method"`            // of the call that would be sent
	Host    string   `json:"host"`
	Headers []string `json:"headers,omitempty"` // names
	Bytes   int      `json:"bytes"`
	Body    string   `json:"body,omitempty"` // its beginning
}

// Notifier tells people. It must return at once: it is called where decisions are
// written, and its failures never keep the guard from acting.
type Notifier interface {
	Notify(a Alert)
}

// Event is what an Observer sees, in order.
type Event struct {
	Kind      EventKind
	At        time.Time
	Document  *results.Document   // Looked: all metrics, with verdicts
	Verdict   *guardrails.Verdict // Judged
	Entry     *guardrails.Entry   // Journalled
	Err       error               // Failed
	LookTook  time.Duration       // Looked: from the first read to the answer
	Iteration *experiment.Iteration
}

// EventKind is what happened.
type EventKind string

// The kinds.
const (
	Looked     EventKind = "looked"     // a look at one experiment
	Judged     EventKind = "judged"     // a guardrail's verdict or reason changed
	Journalled EventKind = "journalled" // a line in the decision log, by this guard or another
	Failed     EventKind = "failed"     // a round could not be finished
)
