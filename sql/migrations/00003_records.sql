-- Configuration versions, decisions and looks. The first two are chains: a row is
-- accepted only as the next one, by the same kind of guard as the ledger's.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE TABLE {{.Database}}.configurations
(
    number     UInt32 COMMENT 'from 1 without gaps',
    attempt    UInt64 COMMENT 'who wrote the row',
    applied_at DateTime64(3, 'UTC'),
    author     String,
    reason     String,
    hash       FixedString(64) COMMENT 'SHA-256 of the experiments, hexadecimal',
    body       String COMMENT 'the whole version as JSON' CODEC(ZSTD(3)),

    CONSTRAINT token CHECK
        match(getSetting('insert_deduplication_token'), '^v:[1-9][0-9]*(:r[1-9])?$')
        AND number = toUInt32OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[2])
        AND getSetting('insert_deduplicate')
        AND getSetting('deduplicate_insert') != 'disable',
    CONSTRAINT one_row CHECK blockSize() = 1,
    CONSTRAINT append CHECK number = dictGet('{{.Database}}.chain_head', 'seq', toUInt64(1)) + 1
)
ENGINE = {{engine "MergeTree"}}
ORDER BY number
SETTINGS {{window}} = 10000
COMMENT 'Every applied state of the whole configuration.';

CREATE TABLE {{.Database}}.decisions
(
    seq        UInt64 COMMENT 'from 1 without gaps',
    attempt    UInt64 COMMENT 'who wrote the row',
    at         DateTime64(3, 'UTC'),
    experiment LowCardinality(String),
    iteration  UInt32,
    guardrail  LowCardinality(String) COMMENT 'metric of the guardrail',
    arm        LowCardinality(String),
    kind       LowCardinality(String),
    verdict    LowCardinality(String),
    reason     String,
    actor      String COMMENT 'the guard, or the person',
    look       String COMMENT 'id of the look that it rests on',
    config     UInt32 COMMENT 'configuration version',
    code       LowCardinality(String) COMMENT 'version of the program',
    evidence   String COMMENT 'JSON' CODEC(ZSTD(3)),
    prev_hash  FixedString(64) COMMENT 'hash of the row before; 64 zeros on the first',
    hash       FixedString(64) COMMENT 'SHA-256 of everything above but attempt, hexadecimal',

    CONSTRAINT token CHECK
        match(getSetting('insert_deduplication_token'), '^d:[1-9][0-9]*(:r[1-9])?$')
        AND seq = toUInt64OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[2])
        AND getSetting('insert_deduplicate')
        AND getSetting('deduplicate_insert') != 'disable',
    CONSTRAINT one_row CHECK blockSize() = 1,
    CONSTRAINT append CHECK seq = dictGet('{{.Database}}.chain_head', 'seq', toUInt64(2)) + 1,
    CONSTRAINT chain CHECK prev_hash = dictGet('{{.Database}}.chain_head', 'hash', toUInt64(2))
)
ENGINE = {{engine "MergeTree"}}
ORDER BY seq
SETTINGS {{window}} = 10000
COMMENT 'What was decided, by whom, on which evidence; each row carries the hash of the one before.';

CREATE VIEW {{.Database}}.chain_heads
(
    chain UInt64 COMMENT '1: configurations, 2: decisions',
    seq   UInt64 COMMENT 'number of its last row',
    hash  String COMMENT 'hash of its last row'
)
AS SELECT toUInt64(1) AS chain, toUInt64(max(number)) AS seq, argMax(toString(hash), number) AS hash
FROM merge('{{.Database}}', '^configurations$')
HAVING seq > 0
UNION ALL
SELECT toUInt64(2) AS chain, max(seq) AS last, argMax(toString(hash), seq) AS hash
FROM merge('{{.Database}}', '^decisions$')
HAVING last > 0
COMMENT 'The last row of configurations (1) and of decisions (2). Source of the dictionary that their constraints read.';

CREATE DICTIONARY {{.Database}}.chain_head
(
    chain UInt64,
    seq   UInt64 DEFAULT 0,
    hash  String DEFAULT '0000000000000000000000000000000000000000000000000000000000000000'
)
PRIMARY KEY chain
SOURCE(CLICKHOUSE({{.Source}} DB '{{.Database}}' TABLE 'chain_heads'))
LAYOUT(DIRECT())
COMMENT 'The last row of each chain, read at each question.';

CREATE TABLE {{.Database}}.looks
(
    id         String COMMENT 'greater when later',
    experiment LowCardinality(String),
    iteration  UInt32,
    kind       LowCardinality(String) COMMENT 'guard: guardrail metrics; full: all metrics and dimensions',
    at         DateTime64(3, 'UTC'),
    version    UInt32 COMMENT 'configuration version',
    vector     Map(UInt16, UInt64) COMMENT 'shard → last part that is in the numbers: the look''s identity',
    verdict    LowCardinality(String),
    document   String COMMENT 'everything that was computed, as JSON' CODEC(ZSTD(3)),
    decision   UInt64 COMMENT 'the decision that rests on it; such a look stays for ever',
    expires    DateTime('UTC') COMMENT 'chosen when it was written: the first of an hour stays, the first of a minute lives a month, others a day',
    INDEX by_id id TYPE bloom_filter GRANULARITY 1
)
ENGINE = {{engine "ReplacingMergeTree" "decision"}}
PARTITION BY toYYYYMM(at)
ORDER BY (experiment, kind, at, id)
TTL expires
COMMENT 'Results as they were computed. Nothing computes them again.';{{end}}

-- +goose Down
{{if .Home}}DROP TABLE {{.Database}}.looks;
DROP TABLE {{.Database}}.decisions;
DROP TABLE {{.Database}}.configurations;
DROP DICTIONARY {{.Database}}.chain_head;
DROP VIEW {{.Database}}.chain_heads;{{end}}
