package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/ingest"
	"github.com/assay-dev/assay/ingest/kafka"
	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
)

// ErasureProof is what was found when a request had been carried out.
type ErasureProof struct {
	Places map[string]uint64 `json:"places"` // deleted, by topic
	Left   map[string]int64  `json:"left"`   // rows of the units, by table: 0
	Files  int               `json:"files"`  // parts with such rows that are still on a disk: 0
	Ledger map[uint16]uint64 `json:"ledger"` // where each shard stood: shard → part

	// What assay does not delete, and until when it may hold the units.
	Topics  []ErasedTopic  `json:"topics"`
	Backups []ErasedBackup `json:"backups,omitempty"`
	Exports []ErasedExport `json:"exports,omitempty"`
}

// ErasedTopic is a topic whose records of the units Kafka removes by itself.
type ErasedTopic struct {
	Topic  string    `json:"topic"`
	Policy string    `json:"cleanup_policy,omitempty"`
	Keeps  string    `json:"keeps"`            // how long, or why that is not known
	GoneBy time.Time `json:"gone_by,omitzero"` // of records of before the request; zero: never by itself
}

// ErasedBackup is a backup that was made before the rows were deleted.
type ErasedBackup struct {
	Name  string    `json:"name"`
	Begun time.Time `json:"begun"`
}

// ErasedExport is an export of rows of units, made while the rows were there.
type ErasedExport struct {
	At         time.Time `json:"at"`
	Actor      string    `json:"actor"`
	Experiment string    `json:"experiment"`
	View       string    `json:"view"`
}

// ErasureRun is how requests are carried out.
type ErasureRun struct {
	Wait time.Duration // for shards to adopt, and then for servers to remove files, at most
	Now  func() time.Time
	Tell func(request uint64, step string) // nil: nobody asks
}

// erasureTick is how often it is looked whether some waiting is over.
const erasureTick = 250 * time.Millisecond

func (r ErasureRun) tell(e Erasure, step string) {
	if r.Tell != nil {
		r.Tell(e.Request, step)
	}
}

// Erase carries out all requests that are open, in their order, and deletes again what
// has come back of the units of others: out of a backup, or by a consumer that stood
// still in the middle of an insert. Whoever goes on after a crash begins where it
// stopped. It needs the right to alter.
func (s *Stack) Erase(ctx context.Context, run ErasureRun) ([]Erasure, error) {
	admin, err := s.connect(ctx, s.endpoints.Admin)
	if err != nil {
		return nil, err
	}
	all, err := s.Erasures(ctx)
	if err != nil {
		return nil, err
	}
	done := []Erasure{}
	for _, e := range all {
		if e.Proof != nil {
			continue
		}
		proof, err := s.eraseOne(ctx, admin, e, run)
		if err != nil {
			return done, fmt.Errorf("erasure %d: %w", e.Request, err)
		}
		e.ErasedAt, e.Proof = run.Now().UTC(), proof
		done = append(done, e)
	}
	return done, s.sweep(ctx, admin, all, run)
}

// eraseOne carries out one request. Every step may be done again.
func (s *Stack) eraseOne(ctx context.Context, admin *clickhouse.DB, e Erasure, run ErasureRun) (*ErasureProof, error) {
	run.tell(e, "make the version that suppresses the units")
	if err := s.suppress(ctx, e, run.Now); err != nil {
		return nil, err
	}
	run.tell(e, "wait until every shard has adopted it")
	heads, err := s.adoptedBy(ctx, admin, e, run)
	if err != nil {
		return nil, err
	}
	units, err := s.unitsOf(ctx, e)
	if err != nil {
		return nil, err
	}
	run.tell(e, "count what is about to be deleted")
	places, err := countErased(ctx, admin, e, heads, units)
	if err != nil {
		return nil, err
	}
	run.tell(e, "delete the rows")
	proof := &ErasureProof{Places: places, Ledger: map[uint16]uint64{}}
	if proof.Left, err = s.deleteUnits(ctx, admin, e, units); err != nil {
		return nil, err
	}
	run.tell(e, "wait until the files are gone")
	if err := awaitFiles(ctx, admin, run); err != nil {
		return nil, err
	}
	for _, h := range heads {
		proof.Ledger[h.Shard] = h.Seq
	}
	if err := s.outside(ctx, proof, run.Now()); err != nil {
		return nil, err
	}
	_, err = s.journal(ctx, guardrails.Entry{Kind: guardrails.Erased, Decision: e.Request, Actor: e.Actor,
		Text: fmt.Sprintf("erasure %d was carried out: nothing of %d units is left in any table or file of the database", e.Request, e.Units)}, proof, run.Now)
	return proof, err
}

// deleteUnits deletes the rows of a request's units, if there are any, and returns how
// many are left by table: 0.
func (s *Stack) deleteUnits(ctx context.Context, admin *clickhouse.DB, e Erasure, units []ingest.Unit) (map[string]int64, error) {
	left, err := s.DB.UnitsLeft(ctx, e.id)
	if err != nil || rowsIn(left) == 0 {
		return left, err // every deletion writes parts anew, also one of nothing
	}
	if err := admin.DeleteUnits(ctx, units); err != nil {
		return nil, WithHint(err, "the account needs ALTER DELETE on events and unit_names: that of `assay migrate` has it")
	}
	if left, err = s.DB.UnitsLeft(ctx, e.id); err == nil && rowsIn(left) > 0 {
		err = WithHint(fmt.Errorf("%d rows are left", rowsIn(left)), "somebody stored them meanwhile; run this again")
	}
	return left, err
}

func rowsIn(left map[string]int64) (n int64) {
	for _, rows := range left {
		n += rows
	}
	return n
}

// unitsOf are the request's units.
func (s *Stack) unitsOf(ctx context.Context, e Erasure) ([]ingest.Unit, error) {
	found, err := s.DB.Suppressed(ctx, e.Request-1, e.Request)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 || len(found[0].Units) != e.Units {
		return nil, fmt.Errorf("table suppressed does not have its %d units", e.Units)
	}
	return found[0].Units, nil
}

// adoptedBy waits until every shard counts under a version that names the request.
func (s *Stack) adoptedBy(ctx context.Context, db *clickhouse.DB, e Erasure, run ErasureRun) (heads []clickhouse.Head, err error) {
	var lacking error
	err = run.await(ctx, func() (bool, error) {
		if heads, err = db.Heads(ctx); err != nil {
			return false, fmt.Errorf("read where the shards stand: %w", err)
		}
		lacking = nil
		known := map[uint32]uint64{0: 0}
		for _, h := range heads {
			if _, seen := known[h.Config]; !seen {
				var v experiment.Version
				if v, err = db.VersionAt(ctx, h.Config); err != nil {
					return false, err
				}
				known[h.Config] = v.Erasure
			}
			if known[h.Config] < e.Request {
				lacking = WithHint(fmt.Errorf("shard %d counts under version %d and does not know the request yet", h.Shard, h.Config),
					"let the consumers run (`assay ingest`), then `assay erase run`")
			}
		}
		return lacking == nil, nil
	})
	if err == nil {
		err = lacking
	}
	return heads, err
}

// await asks until something is so, the time is over, or the context ends. It is no
// error that it is not so in the end.
func (r ErasureRun) await(ctx context.Context, holds func() (bool, error)) error {
	end := time.NewTimer(r.Wait)
	defer end.Stop()
	again := time.NewTicker(erasureTick)
	defer again.Stop()
	for {
		if so, err := holds(); so || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			return nil
		case <-again.C:
		}
	}
}

// countErased writes down, shard by shard, what is about to be deleted, and returns how
// many places that are, by topic.
func countErased(ctx context.Context, db *clickhouse.DB, e Erasure, heads []clickhouse.Head, units []ingest.Unit) (map[string]uint64, error) {
	for _, h := range heads {
		upTo, err := db.CarriedOut(ctx, h.Shard)
		if err != nil {
			return nil, err
		}
		if upTo >= e.Request {
			continue
		}
		found, err := db.CountErased(ctx, h.Shard, units)
		if err != nil {
			return nil, err
		}
		if err := db.NoteErased(ctx, h.Shard, e.Request, found); err != nil {
			return nil, err
		}
	}
	return db.ErasedPlaces(ctx, e.Request)
}

// awaitFiles waits until the files are gone that held the rows.
func awaitFiles(ctx context.Context, db *clickhouse.DB, run ErasureRun) error {
	first, err := db.OldParts(ctx)
	if err != nil {
		return err
	}
	var left []string
	err = run.await(ctx, func() (bool, error) {
		now, err := db.OldParts(ctx)
		left = slices.DeleteFunc(now, func(part string) bool { return !slices.Contains(first, part) })
		return len(left) == 0, err
	})
	if err == nil && len(left) > 0 {
		err = WithHint(fmt.Errorf("%d files with rows that were deleted are still on a disk: %s", len(left), left[0]),
			"the server removes them after old_parts_lifetime and cleanup_delay_period; then `assay erase run`")
	}
	return err
}

// sweep deletes what has come back of units that were erased.
func (s *Stack) sweep(ctx context.Context, admin *clickhouse.DB, all []Erasure, run ErasureRun) error {
	var ids []string
	for _, e := range all {
		if e.Proof != nil {
			ids = append(ids, e.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	left, err := s.DB.UnitsLeft(ctx, ids...)
	if err != nil || rowsIn(left) == 0 {
		return err
	}
	for _, e := range all {
		if e.Proof == nil {
			continue
		}
		if left, err = s.DB.UnitsLeft(ctx, e.id); err != nil {
			return err
		}
		if rowsIn(left) == 0 {
			continue
		}
		run.tell(e, fmt.Sprintf("delete %d rows that have come back", rowsIn(left)))
		if _, err := s.adoptedBy(ctx, admin, e, run); err != nil {
			return fmt.Errorf("erasure %d: %w", e.Request, err)
		}
		units, err := s.unitsOf(ctx, e)
		if err != nil {
			return fmt.Errorf("erasure %d: %w", e.Request, err)
		}
		if _, err := s.deleteUnits(ctx, admin, e, units); err != nil {
			return fmt.Errorf("erasure %d: %w", e.Request, err)
		}
	}
	return nil
}

// outside lists what assay does not delete: records that Kafka keeps, and backups.
func (s *Stack) outside(ctx context.Context, proof *ErasureProof, now time.Time) error {
	proof.Topics = []ErasedTopic{}
	if len(s.Brokers) > 0 {
		topics, err := s.erasedTopics(ctx, now)
		if err != nil {
			return err
		}
		proof.Topics = topics
	}
	made, err := s.Backups(ctx)
	if err != nil {
		return fmt.Errorf("list the backups: %w", err)
	}
	for _, b := range made {
		if b.State != clickhouse.BackupRemoved {
			proof.Backups = append(proof.Backups, ErasedBackup{b.Name, b.Begun})
		}
	}
	proof.Exports, err = s.exports(ctx)
	return err
}

func (s *Stack) erasedTopics(ctx context.Context, now time.Time) ([]ErasedTopic, error) {
	declared, err := sourceTopics(s.Config.Kafka)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range declared {
		names = append(names, t.Name)
		if t.Partitioner == ingest.AnyPartition {
			names = append(names, kafka.CopyTopic(t.Name))
		}
	}
	sampled, err := s.sample(ctx, names, 0)
	if err != nil {
		return nil, err
	}
	out := make([]ErasedTopic, 0, len(sampled))
	for _, t := range sampled {
		if t.Exists {
			out = append(out, keptBy(t, now))
		}
	}
	return out, nil
}

// keptBy says how long a topic keeps records: until the retention is over, and then a
// segment's length, for only whole segments are removed.
func keptBy(t kafka.TopicSample, now time.Time) ErasedTopic {
	out := ErasedTopic{Topic: t.Name, Policy: t.Settings["cleanup.policy"]}
	ms, err := strconv.ParseInt(t.Settings["retention.ms"], 10, 64)
	switch {
	case err != nil:
		out.Keeps = "the broker does not say how long"
	case ms < 0:
		out.Keeps = "for ever: set retention.ms, or delete the records"
	case !strings.Contains(out.Policy, "delete") && out.Policy != "":
		out.Keeps = "the last record of each key for ever: cleanup.policy is " + out.Policy
	default:
		roll, err := strconv.ParseInt(t.Settings["segment.ms"], 10, 64)
		if err != nil {
			roll = (7 * 24 * time.Hour).Milliseconds() // Kafka's default
		}
		keep := time.Duration(ms) * time.Millisecond
		roll = min(roll, int64(366*24*time.Hour/time.Millisecond))
		out.Keeps = fmt.Sprintf("%v after the record, and at most %v until its segment is closed", keep, time.Duration(roll)*time.Millisecond)
		out.GoneBy = now.UTC().Add(keep + time.Duration(roll)*time.Millisecond).Truncate(time.Second)
	}
	return out
}
