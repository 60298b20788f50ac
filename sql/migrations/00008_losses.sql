-- What a result must be able to say about the log beside the marks: records that
-- were lost, how far the stored rows were proven to be there, under which key units
-- were hashed, and in which leader's term a partition was last read.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}ALTER TABLE {{.Database}}.ledger
    ADD COLUMN epochs Array(Int32) COMMENT 'Kafka''s leader epoch of the last record of the range, plus one; 0: not known' AFTER topic_ids;

CREATE TABLE {{.Database}}.losses
(
    shard       UInt16 COMMENT 'partition number',
    topic       LowCardinality(String) COMMENT 'source topic',
    kind        LowCardinality(String) COMMENT 'before: deleted before the topic was first read; unstored: counted, then lost from events and from Kafka; replaced: the log was replaced or lost its end, and what it holds at places that were counted is not read',
    seq         UInt64 COMMENT 'part of the ledger: the first one of the topic (before), the one that counted the records (unstored), the one that went on (replaced)',
    from_offset Int64 COMMENT 'first offset of the range',
    next_offset Int64 COMMENT 'offset after the range',
    records     UInt64 COMMENT 'how many records at most',
    until       DateTime64(3, 'UTC') COMMENT 'none of them is of a later time',
    noted_at    DateTime64(3, 'UTC') COMMENT 'when this was written'
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (shard, topic, kind, from_offset, next_offset)
COMMENT 'Records that no part of the ledger could account for as lost. What was stepped over before it was read stands in the marks.';

CREATE TABLE {{.Database}}.proven
(
    shard  UInt16 COMMENT 'partition number',
    closed Bool COMMENT 'retention dropped rows: nothing up to seq can be compared any more',
    seq    UInt64 COMMENT 'all that the parts up to this one counted was found in events and dead_letters',
    at     DateTime64(3, 'UTC') COMMENT 'when it was found'
)
ENGINE = {{engine "ReplacingMergeTree" "at"}}
ORDER BY (shard, closed)
COMMENT 'How far the stored rows were compared with the marks.';{{end}}

{{if .Home}}CREATE TABLE {{.Database}}.unit_keys
(
    fingerprint String COMMENT 'one-way: HMAC-SHA-256 of a constant under the key, hexadecimal',
    at          DateTime64(3, 'UTC') COMMENT 'when a consumer first used it'
)
ENGINE = {{engine "MergeTree"}}
ORDER BY (at, fingerprint)
COMMENT 'The first row tells the key under which every unit of this ledger is hashed, without telling the key.';

CREATE OR REPLACE VIEW {{.Database}}.gaps
(
    shard       UInt16 COMMENT 'partition',
    topic       LowCardinality(String) COMMENT 'source topic',
    kind        LowCardinality(String) COMMENT 'unread: lost before it was read; before: deleted before the topic was first read; unstored: counted, then lost; replaced: another log at places that were counted',
    seq         UInt64 COMMENT 'part of the ledger that it belongs to',
    from_offset Int64 COMMENT 'first offset of the range',
    next_offset Int64 COMMENT 'offset after the range',
    lost        UInt64 COMMENT 'how many records at most',
    accepted_at DateTime64(3, 'UTC') COMMENT 'when it was written down'
)
AS SELECT
    shard, tupleElement(entry, 1) AS topic, 'unread' AS kind, seq, tupleElement(entry, 2) AS from_offset,
    tupleElement(entry, 3) AS next_offset, tupleElement(entry, 4) AS lost, written_at AS accepted_at
FROM {{.Database}}.ledger
ARRAY JOIN arrayZip(topics, `from`, next, gap) AS entry
WHERE mark = 1 AND lost > 0
UNION ALL
SELECT shard, topic, kind, seq, from_offset, next_offset, records AS lost, noted_at AS accepted_at
FROM {{.Database}}.losses FINAL
COMMENT 'Data that is in no number because it was lost, and since when that is known.';

CREATE VIEW {{.Database}}.unknown_experiments
(
    experiment String COMMENT 'key that the exposures name',
    exposures  UInt64 COMMENT 'how many are stored',
    units      UInt64 COMMENT 'different units, about',
    variants   Array(String) COMMENT 'keys of the variants that they name, at most 20',
    first_seen DateTime64(3, 'UTC') COMMENT 'time of the earliest',
    last_seen  DateTime64(3, 'UTC') COMMENT 'time of the latest'
)
AS SELECT
    toString(e.experiment) AS experiment, uniqExact(topic, shard, offset) AS exposures, uniq(unit) AS units,
    arraySort(groupUniqArray(20)(toString(variant))) AS variants, min(t) AS first_seen, max(t) AS last_seen
FROM {{.Database}}.events AS e
WHERE type = 'exposure' AND NOT misplaced AND toString(e.experiment) NOT IN
(
    SELECT JSONExtractString(raw, 'key')
    FROM (SELECT body FROM {{.Database}}.configurations ORDER BY number DESC LIMIT 1)
    ARRAY JOIN JSONExtractArrayRaw(body, 'experiments') AS raw
)
GROUP BY e.experiment
COMMENT 'Experiments that are exposed and that no file describes. Their exposures are stored and count once a file arrives.';

CREATE VIEW {{.Database}}.id_conflicts
(
    topic     LowCardinality(String) COMMENT 'source topic',
    type      String COMMENT 'exposure or outcome',
    shard     UInt16 COMMENT 'partition',
    unit      UInt128 COMMENT 'keyed hash of the unit',
    id        String COMMENT 'the producer''s id of the event',
    times     UInt64 COMMENT 'how many different times the id came with; each of them counts',
    first_t   DateTime64(3, 'UTC') COMMENT 'the earliest of them',
    last_t    DateTime64(3, 'UTC') COMMENT 'the latest of them'
)
AS SELECT topic, toString(type) AS type, shard, unit, id, uniqExact(t) AS times, min(t) AS first_t, max(t) AS last_t
FROM {{.Database}}.events
WHERE id != '' AND NOT misplaced
GROUP BY topic, type, shard, unit, id
HAVING times > 1
COMMENT 'Ids that came with more than one time: a producer that stamps a retry anew makes two events of one.';{{end}}

-- +goose Down
{{if .Home}}DROP VIEW {{.Database}}.id_conflicts;
DROP VIEW {{.Database}}.unknown_experiments;
DROP TABLE {{.Database}}.unit_keys;{{end}}
{{if .Node}}DROP TABLE {{.Database}}.proven;
DROP TABLE {{.Database}}.losses;{{end}}
{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.gaps
AS SELECT
    shard, tupleElement(entry, 1) AS topic, seq, tupleElement(entry, 2) AS from_offset,
    tupleElement(entry, 3) AS next_offset, tupleElement(entry, 4) AS lost, written_at AS accepted_at
FROM {{.Database}}.ledger
ARRAY JOIN arrayZip(topics, `from`, next, gap) AS entry
WHERE mark = 1 AND lost > 0;{{end}}
{{if .Node}}ALTER TABLE {{.Database}}.ledger DROP COLUMN epochs;{{end}}
