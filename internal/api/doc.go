// Package api is /api/v1: what is known of experiments as JSON, CSV, NDJSON, Parquet and
// Arrow, described by the OpenAPI document that it serves. It computes nothing but what
// a planner is asked for: everything else was computed once and stored.
package api
