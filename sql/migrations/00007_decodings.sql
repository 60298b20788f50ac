-- What is decoded depends on the record and on its topic's decoding: the mapping
-- and the list of attributes that are kept. Decodings are a chain like the
-- configurations; the mark says under which one each of its ranges was read. And
-- records that were keyed anew carry the place at which they were first written.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE DICTIONARY {{.Database}}.decoding_head (chain UInt64, seq UInt64 DEFAULT 0)
PRIMARY KEY chain
SOURCE(CLICKHOUSE({{.Source}} QUERY '
    SELECT chain, seq
    FROM
    (
        SELECT toUInt64(1) AS chain, toUInt64(max(number)) AS seq
        FROM merge(\'{{.Database}}\', \'^decodings$\')
    )
    WHERE {condition}'))
LAYOUT(DIRECT())
COMMENT 'The last decoding, read at each question.';

CREATE TABLE {{.Database}}.decodings
(
    number     UInt32 COMMENT 'from 1 without gaps, over all topics',
    attempt    UInt64 COMMENT 'who wrote the row',
    topic      LowCardinality(String) COMMENT 'source topic',
    mapping    String COMMENT 'text of the mapping file; empty: native events' CODEC(ZSTD(3)),
    attributes Array(String) COMMENT 'the attributes that are kept, sorted',
    hash       FixedString(64) COMMENT 'SHA-256 of mapping and attributes, hexadecimal',
    written_at DateTime64(3, 'UTC') COMMENT 'clock of the writer',

    CONSTRAINT token CHECK
        match(getSetting('insert_deduplication_token'), '^m:[1-9][0-9]*(:r[1-9])?$')
        AND number = toUInt32OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[2])
        AND getSetting('insert_deduplicate')
        AND getSetting('deduplicate_insert') != 'disable',
    CONSTRAINT one_row CHECK blockSize() = 1,
    CONSTRAINT append CHECK number = dictGet('{{.Database}}.decoding_head', 'seq', toUInt64(1)) + 1
)
ENGINE = {{engine "MergeTree"}}
ORDER BY number
SETTINGS {{window}} = 10000
COMMENT 'How the records of each topic are read. The last one of a topic is in force.';{{end}}

{{if .Node}}ALTER TABLE {{.Database}}.ledger
    ADD COLUMN decode Array(UInt32) COMMENT 'mark: decoding under which each range was read; goes with topics' AFTER gap;

ALTER TABLE {{.Database}}.events
    ADD COLUMN origin_partition Int32 DEFAULT -1 COMMENT 'of a record that was keyed anew: the partition in which it was first written; -1 for all others',
    ADD COLUMN origin_offset Int64 COMMENT 'and its offset there';{{end}}

-- +goose Down
{{if .Node}}ALTER TABLE {{.Database}}.events DROP COLUMN origin_offset, DROP COLUMN origin_partition;
ALTER TABLE {{.Database}}.ledger DROP COLUMN decode;{{end}}
{{if .Home}}DROP TABLE {{.Database}}.decodings;
DROP DICTIONARY {{.Database}}.decoding_head;{{end}}
