package clickhouse

import (
	"context"

	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Close ends all connections.
func (db *DB) Close() error { return errStub }

// Ping asks whether the server answers.
func (db *DB) Ping(ctx context.Context) error { return errStub }

// Migrate makes the database and brings its tables to the newest version. It
// needs a user with all rights on the database.
func (db *DB) Migrate(ctx context.Context) error { return errStub }

// SchemaVersion is the number of the last migration that ran; 0 without any.
func (db *DB) SchemaVersion(ctx context.Context) (int64, error) { return 0, errStub }

// AppendEvents stores records of one shard. Writing them again changes nothing.
// Place.Topic is an index into topics.
func (db *DB) AppendEvents(ctx context.Context, shard uint16, topics []string, events []ingest.Event, dead []ingest.Dead) error {
	return errStub
}

// AppendPart writes one part into the ledger, exactly once, or says that it is
// Lost. Counts.Topic is an index into topics. Only Committed means durable.
func (db *DB) AppendPart(ctx context.Context, topics []Topic, part ingest.Part) (Appended, error) {
	return Unknown, errStub
}

// LastMark is where a shard stands; its Seq is 0 when it never had a part.
func (db *DB) LastMark(ctx context.Context, shard uint16) (Mark, error) { return Mark{}, errStub }

// EventsBelow hands the shard's stored events below the given offsets to fn,
// ordered by unit, t, topic and offset, each place once. Place.Topic is the
// index of the topic among the names in next, sorted. The event is reused.
func (db *DB) EventsBelow(ctx context.Context, shard uint16, next map[string]int64, fn func(*ingest.Event) error) error {
	return errStub
}

// Missing compares what the last marks of a shard counted with what is stored;
// marks ≤ 0 means all of them.
func (db *DB) Missing(ctx context.Context, shard uint16, marks int) ([]Lacking, error) {
	return nil, errStub
}

// CheckChain returns the shards whose ledger is not a chain.
func (db *DB) CheckChain(ctx context.Context) ([]ChainFault, error) { return nil, errStub }

// Reconcile adds up, by shard and topic, what the marks say.
func (db *DB) Reconcile(ctx context.Context) ([]Reconciliation, error) { return nil, errStub }

// WriteStatus stores what consumers say of their shards.
func (db *DB) WriteStatus(ctx context.Context, statuses []results.ShardStatus) error { return errStub }

// Statuses is the last word of every shard, by number.
func (db *DB) Statuses(ctx context.Context) ([]results.ShardStatus, error) { return nil, errStub }

// Moments reads the cells of several iterations and the position of every shard
// in one query: the sums stand for exactly that vector.
func (db *DB) Moments(ctx context.Context, specs []MomentsSpec) (results.Moments, error) {
	return results.Moments{}, errStub
}

// Slots is an iteration by slot, without dimensions, in order of time.
func (db *DB) Slots(ctx context.Context, experiment string, iteration uint32) ([]SlotRow, error) {
	return nil, errStub
}

// Version is the last configuration version; its Number is 0 without one.
func (db *DB) Version(ctx context.Context) (experiment.Version, error) {
	return experiment.Version{}, errStub
}

// VersionNumber is the number of the last version, cheaper than Version.
func (db *DB) VersionNumber(ctx context.Context) (uint32, error) { return 0, errStub }

// VersionAt is the version of that number, or ErrNotFound.
func (db *DB) VersionAt(ctx context.Context, number uint32) (experiment.Version, error) {
	return experiment.Version{}, errStub
}

// AppendVersion stores v as the successor of v.Number-1, or returns a
// [ConflictError].
func (db *DB) AppendVersion(ctx context.Context, v experiment.Version) error { return errStub }

// Versions lists all versions, oldest first.
func (db *DB) Versions(ctx context.Context) ([]VersionHead, error) { return nil, errStub }

// AppendDecision stores d as number d.Seq, or after the last one when it is 0,
// and returns it with Seq, PrevHash and Hash. A number that was taken is a
// [ConflictError].
func (db *DB) AppendDecision(ctx context.Context, d Decision) (Decision, error) {
	return Decision{}, errStub
}

// LastDecision is the number of the last decision; 0 without one.
func (db *DB) LastDecision(ctx context.Context) (uint64, error) { return 0, errStub }

// Decisions lists the log, oldest first.
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) ([]Decision, error) {
	return nil, errStub
}

// VerifyDecisions recomputes every hash and returns the number of decisions. The
// error names the first that does not fit.
func (db *DB) VerifyDecisions(ctx context.Context) (uint64, error) { return 0, errStub }

// StoreLook stores looks and fills in their ID and Expires.
func (db *DB) StoreLook(ctx context.Context, looks ...*Look) error { return errStub }

// KeepLook says that a decision rests on a look, which then stays for ever.
func (db *DB) KeepLook(ctx context.Context, id string, decision uint64) error { return errStub }

// LatestLook is the newest look of an experiment, or ErrNotFound.
func (db *DB) LatestLook(ctx context.Context, experiment string, kind LookKind) (Look, error) {
	return Look{}, errStub
}

// LookByID is one look, or ErrNotFound.
func (db *DB) LookByID(ctx context.Context, id string) (Look, error) { return Look{}, errStub }

// Looks is the history of an experiment, oldest first.
func (db *DB) Looks(ctx context.Context, f LookFilter) ([]Look, error) { return nil, errStub }

// UnitEvents is everything that is stored of a unit, ordered by t, topic and
// offset, each place once. Place.Topic is 0; see StoredEvent.Topic.
func (db *DB) UnitEvents(ctx context.Context, unit ingest.Unit) ([]StoredEvent, error) {
	return nil, errStub
}

// DeadAt is the dead letter at a place, or ErrNotFound.
func (db *DB) DeadAt(ctx context.Context, place Place) (ingest.Dead, error) {
	return ingest.Dead{}, errStub
}

// Parts counts the active parts of every table by partition.
func (db *DB) Parts(ctx context.Context) ([]PartCount, error) { return nil, errStub }
