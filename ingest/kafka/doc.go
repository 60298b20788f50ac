// Package kafka is the adapter between the log and the two tables: it reads the
// shards of the declared topics, has them decoded and joined by package ingest,
// and appends what came of it. It also writes native events, for replays.
//
// # Shards
//
// Shard P is partition P of every declared topic, so all records of a unit are
// in one shard. A consumer group would not hand out the same P of two topics to
// one member; therefore the group subscribes to one lead topic, the first by
// name, only to learn which shards are ours. Its records are never fetched. Each
// shard reads partition P of all topics with a client of its own, from the
// offsets of its last mark.
//
// # The journey of a record
//
//	poll ─▶ decode ─▶ join ─▶ part ─▶ events ─▶ dead letters ─▶ ledger ─▶ (lag commit)
//	└─ goroutine ┘└─ goroutine ───┘└─ goroutine ─────────────────────┘
//
// While one part is being written, the next one is gathered: a batch ends when
// it is old enough and the writer is free, or when it is full. A slow store
// therefore makes larger batches, not more of them.
//
// # What can go wrong
//
// Whatever fails drops everything in memory, reads the last mark again and goes
// on from there ([Ledger.AppendPart] that was [Lost] is one such case: somebody
// else owns the shard or our answer was late). What a retry cannot mend stops
// the shard and says so in its status, every second: see the states below.
//
// # Non-obvious
//
//   - Every life of a shard has a new client. A record that an earlier life asked
//     for can so never be taken for the next one of this life, and a jump of the
//     offset always is a hole in the log.
//   - Control records are kept by the client, because a transaction's marker at
//     the end of a partition would else hide that the end was reached.
//   - Offsets committed to Kafka are for lag displays only. Nothing reads them.
package kafka
