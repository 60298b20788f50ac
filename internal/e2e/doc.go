// Package e2e proves the promises of the whole path on the shipped binary: the
// tests start a broker and an engine, write an assay.yaml, run `assay apply`,
// `assay ingest`, `assay guard` and the rest as processes of the operating
// system, kill them, and compare what the ledger says with a count of their own
// over the log. There is nothing to import.
//
// Tests share one engine, each with a database of its own; those that kill an
// engine start one for themselves. What is random prints its seed, and
// -e2e.seed repeats it; -e2e.long multiplies the work. Tests that attack begin with
// TestChaos, or with TestBroker when they run on an Apache Kafka of their own.
package e2e
