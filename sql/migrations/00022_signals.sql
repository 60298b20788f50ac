-- Numbers of services, read every few seconds beside an experiment, with how much of the
-- traffic was exposed then. Rows are added and never changed. Two guards that read write
-- the same keys; where only one was answered, its row stays.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE TABLE {{.Database}}.signals
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    signal     LowCardinality(String) COMMENT 'name of the signal in the experiment file',
    source     UInt64 COMMENT 'hash of the query or of the endpoint''s name: an edited signal begins anew',
    at         DateTime64(3, 'UTC') COMMENT 'time that was asked for: whole steps of signals.every',
    answered   UInt8 COMMENT '1: there is a value; 0: a gap',
    value      Nullable(Float64) COMMENT 'NULL in a gap: missing is not zero',
    gap        LowCardinality(String) COMMENT 'why there is no value; empty with one',
    phase      UInt16 COMMENT 'phase in force',
    planned    Float64 COMMENT 'share of the eligible units that the phase gives to other arms than the control',
    look       String COMMENT 'id of the look that the units are from; empty: no look was recent',
    units      Int64 COMMENT 'first exposed so far in the iteration',
    treated    Int64 COMMENT 'of these, in other arms than the control',
    instance   LowCardinality(String) COMMENT 'guard that asked'
)
ENGINE = {{engine "ReplacingMergeTree" "answered"}}
PARTITION BY toYYYYMM(at)
ORDER BY (experiment, iteration, signal, source, at)
TTL toDateTime(at) + INTERVAL 400 DAY
COMMENT 'Readings of signals, beside the share of traffic that was exposed.';

CREATE VIEW {{.Views}}.signals
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    signal     LowCardinality(String) COMMENT 'name of the signal in the experiment file',
    source     UInt64 COMMENT 'hash of the query or of the endpoint''s name: an edited signal begins anew',
    at         DateTime64(3, 'UTC') COMMENT 'time that was asked for',
    value      Nullable(Float64) COMMENT 'NULL in a gap: missing is not zero',
    gap        LowCardinality(String) COMMENT 'why there is no value; empty with one',
    phase      UInt16 COMMENT 'phase in force',
    planned    Float64 COMMENT 'share of the eligible units that the phase gives to other arms than the control',
    look       String COMMENT 'id of the look that the units are from; empty: no look was recent',
    units      Int64 COMMENT 'first exposed so far in the iteration',
    treated    Int64 COMMENT 'of these, in other arms than the control'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, iteration, signal, source, at, value, gap, phase, planned, look, units, treated
FROM {{.Database}}.signals
ORDER BY answered DESC
LIMIT 1 BY experiment, iteration, signal, source, at
COMMENT 'Readings of signals, beside the share of traffic that was exposed.';{{end}}

-- +goose Down
{{if .Home}}DROP VIEW {{.Views}}.signals;
DROP TABLE {{.Database}}.signals;{{end}}
