// Package promql asks for the numbers of signals: a server with Prometheus' HTTP API for
// the value of a query, and health endpoints whether they answer.
package promql
