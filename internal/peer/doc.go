// Package peer runs the programs of others that tests and benchmarks have as
// real peers: each is a process on 127.0.0.1 whose output goes to a file, which
// ends with the test even if that is killed, and which is ended by its process
// id and never by a name that others may use too.
package peer
