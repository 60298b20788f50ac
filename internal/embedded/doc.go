// Package embedded runs the two servers that assay needs on a machine that has
// neither: a Kafka (kfake, inside this process) and a ClickHouse (the real
// engine, in a child process). Both listen on 127.0.0.1 only, keep their data
// below a directory and are spoken to by address like any other server, so
// that nothing else in the program knows whether it runs on them.
//
// # The ClickHouse child
//
// The engine is a shared library. It is loaded by the same executable, started
// a second time with a marker in its environment: [RunChildIfAsked] must be the
// first call of main and of every TestMain that starts an engine. A process of
// its own keeps the engine's memory, threads and crashes away from ours.
//
// The child holds three things together. Its standard input is a pipe from the
// parent; when that closes, for whatever reason, the child ends, so it cannot
// outlive a parent that was killed. Its listening sockets are opened by the
// parent and inherited, so the address stays the same when a died child is
// replaced, and clients that connect in between wait instead of being refused.
// And a relay stands between those sockets and the engine's own ports, because
// one TCP reset from a client makes the library abort; see relay.go.
//
// The package needs a Unix: process groups, inherited sockets, flock.
package embedded
