// Package sources turns other systems' files and topics into native events. What
// a source looks like stands in a mapping file, one for each; the *.yaml files
// beside this one are part of the binary and are called by their names (see
// Load). docs/sources.md is the reference of the language.
//
// The same mapping reads files (Replay) and live topics (Decoder). A tree takes a
// record apart, paths lead into it, and what a mapping finds is written as a
// native record, which the decoder of package ingest then judges: every rule about
// native events holds for mapped ones, because it is the same code.
//
// # What goes wrong
//
// In a file a row either yields all of its events or is broken: reported with
// file, line and reason, and nothing of it is sent. A broken row costs no other.
// In a topic a record is one event or a dead letter; what is well-formed but no
// event by the mapping, such as an evaluation that exposes nobody, has the reason
// ingest.Filtered. A record that holds several events has no place for them: it is
// written anew first, one record an event (Decoder.Native).
//
// # Identity
//
// In files ids are made of the mapping's name, the source's own id or else the
// hash of the file and the line, and the place in the list of events: running a
// replay twice changes nothing. In topics the id is the source's own, or in a
// CloudEvents envelope its source and id; an event without one has its place.
package sources
