-- Erasure of units: who is suppressed, what was deleted of what the marks counted, and
-- what erased units leave in sums that stay. See docs/decisions/0016-erasure.md.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE TABLE {{.Database}}.suppressed
(
    request   String COMMENT 'id of the request of erasure; the decision log names it, without units',
    unit      UInt128 COMMENT 'keyed hash, as in events',
    unit_kind LowCardinality(String) COMMENT 'what was randomised: user, device …',
    at        DateTime64(3, 'UTC') COMMENT 'when it was asked for'
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (request, unit)
COMMENT 'Units of whom nothing is stored or counted any more. The hash stays: without it a replay would bring the unit back.';{{end}}

{{if .Node}}CREATE TABLE {{.Database}}.erased
(
    shard     UInt16 COMMENT 'partition number',
    request   UInt64 COMMENT 'number of the request in the decision log',
    topic     LowCardinality(String) COMMENT 'source topic; empty: everything of this request is counted in this shard',
    seq       UInt64 COMMENT 'the part that had counted the records',
    attempt   UInt64 COMMENT 'who wrote that part: in a ledger that was begun anew nothing is erased',
    accepted  UInt64 COMMENT 'deleted places that had counted',
    duplicate UInt64 COMMENT 'deleted places of duplicates',
    misplaced UInt64 COMMENT 'deleted places in the wrong partition',
    places    UInt64 COMMENT 'the sum of the three; of two counts the greater one holds, for the other was taken while rows were being deleted',
    at        DateTime64(3, 'UTC') COMMENT 'when this was written, before the rows were deleted'
)
ENGINE = {{engine "ReplacingMergeTree" "places"}}
ORDER BY (shard, request, topic, seq, attempt)
COMMENT 'How many stored places erasure took from what each part counted: events and erased together are what the marks say.';

CREATE TABLE {{.Database}}.adjustments
(
    shard      UInt16 COMMENT 'partition number',
    seq        UInt64 COMMENT 'the part that adopted the request',
    request    UInt64 COMMENT 'number of the request in the decision log',
    experiment LowCardinality(String) COMMENT 'the cell, as in ledger, down to value',
    iteration  UInt32 COMMENT 'as in ledger',
    phase      UInt16 COMMENT 'as in ledger',
    settling   Bool COMMENT 'as in ledger',
    variant    LowCardinality(String) COMMENT 'as in ledger',
    metric     LowCardinality(String) COMMENT 'as in ledger',
    slot       DateTime('UTC') COMMENT 'as in ledger',
    dimension  LowCardinality(String) COMMENT 'as in ledger',
    value      LowCardinality(String) COMMENT 'as in ledger',
    n          Int64 COMMENT 'what the erased units are in the sums of the cell, as in ledger down to newest',
    nonzero    Int64 COMMENT 'as in ledger',
    over       Int64 COMMENT 'as in ledger',
    sy         Int128 COMMENT 'as in ledger',
    syy        Int128 COMMENT 'as in ledger',
    sz         Int128 COMMENT 'as in ledger',
    szz        Int128 COMMENT 'as in ledger',
    syz        Int128 COMMENT 'as in ledger',
    newest     DateTime64(3, 'UTC') COMMENT 'as in ledger'
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (shard, seq, request, experiment, iteration, phase, settling, variant, metric, slot, dimension, value)
COMMENT 'What erased units left in sums that stay, without the units. It holds if the part of this number adopted the request.';{{end}}

-- +goose Down
{{if .Node}}DROP TABLE {{.Database}}.adjustments;
DROP TABLE {{.Database}}.erased;{{end}}
{{if .Home}}DROP TABLE {{.Database}}.suppressed;{{end}}
