-- What was read, without any decision in it. Writing a place again is harmless:
-- the rows of one place have one sorting key and are merged into one.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}CREATE TABLE {{.Database}}.events
(
    topic      LowCardinality(String) COMMENT 'source topic',
    shard      UInt16 COMMENT 'partition number, the same in every topic',
    offset     Int64 COMMENT 'offset in that partition',
    t          DateTime64(3, 'UTC') COMMENT 'event time',
    kafka_t    DateTime64(3, 'UTC') COMMENT 'the record''s own timestamp',
    type       Enum8('exposure' = 1, 'outcome' = 2),
    unit_kind  LowCardinality(String) COMMENT 'what was randomised: user, device …',
    unit       UInt128 COMMENT 'keyed hash of the unit; the id itself is not here',
    id         String COMMENT 'the producer''s id of the event; empty: its place is its identity',
    experiment LowCardinality(String) COMMENT 'exposures only',
    variant    LowCardinality(String) COMMENT 'exposures only',
    event      LowCardinality(String) COMMENT 'outcomes only: the name of the event',
    value      Decimal(38, 12) COMMENT 'outcomes only',
    attrs      Map(LowCardinality(String), String) COMMENT 'attributes of the allow-list',
    misplaced  Bool COMMENT 'in the wrong partition for its unit: stored and counted, never joined',
    decode     UInt32 DEFAULT 1 COMMENT 'version of the topic''s decoding under which the record was read'
)
ENGINE = {{engine "ReplacingMergeTree"}}
PARTITION BY toYYYYMM(t)
ORDER BY (shard, unit, t, topic, offset)
COMMENT 'Every well-formed record, once per place. A row counts when its offset is below its shard''s watermark.';

CREATE TABLE {{.Database}}.dead_letters
(
    topic    LowCardinality(String) COMMENT 'source topic',
    shard    UInt16 COMMENT 'partition number',
    offset   Int64 COMMENT 'offset in that partition',
    kafka_t  DateTime64(3, 'UTC') COMMENT 'the record''s own timestamp',
    reason   LowCardinality(String) COMMENT 'why it cannot be an event',
    size     UInt32 COMMENT 'bytes of the record''s value',
    position Int32 COMMENT 'byte offset of the error in the value, -1 without one',
    detail   String COMMENT 'what is wrong, without any of the payload'
)
ENGINE = {{engine "ReplacingMergeTree"}}
PARTITION BY toYYYYMM(kafka_t)
ORDER BY (shard, topic, offset)
COMMENT 'Records that cannot be events. The payload stays in Kafka.';{{end}}

{{if .Home}}CREATE TABLE {{.Database}}.unit_names
(
    unit      UInt128 COMMENT 'keyed hash, as in events',
    unit_kind LowCardinality(String),
    id        String COMMENT 'the unit''s original id'
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY unit
COMMENT 'The only place for original ids. May stay empty; deleting a row forgets a unit''s name.';{{end}}

-- +goose Down
{{if .Home}}DROP TABLE {{.Database}}.unit_names;{{end}}
{{if .Node}}DROP TABLE {{.Database}}.dead_letters;
DROP TABLE {{.Database}}.events;{{end}}
