// Package clickhouse is the only one that speaks to ClickHouse. It stores what
// was read and what was counted, and reads back what the rest of the program
// needs: moments, marks, versions, decisions, looks.
//
// # Two tables, two lives
//
// Events ([DB.AppendEvents]) may be written any number of times: a place is one
// row. The ledger ([DB.AppendPart]) is written exactly once a part: row 0 of the
// part is the mark that says which offsets the other rows stand for, so progress
// and effect are durable together or not at all. Constraints of the table refuse
// every insert that is not the shard's next part; the table, not this package,
// is what keeps a stale writer out.
//
// # Chains
//
// Configuration versions and decisions are written by the same guarded append
// ([DB.AppendVersion], [DB.AppendDecision]): the number of the row is compared
// with the last one by the server, and whoever comes second is told who was
// first ([ConflictError]).
//
// # Errors
//
// A lost connection, a restart of the server or a full queue is retried inside
// until the context ends. What is returned is final: the caller's mistake, a
// refusal, or the context's end.
package clickhouse
