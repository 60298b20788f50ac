-- What was counted. One INSERT is one block is one part: row 0 is the mark, which
-- says which offsets the part stands for; the other rows are the deltas of these
-- offsets. The three constraints hold every client to the protocol of
-- docs/decisions/0002-guarded-append.md.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}CREATE TABLE {{.Database}}.ledger
(
    shard      UInt16 COMMENT 'partition number',
    seq        UInt64 COMMENT 'number of the part within its shard, from 1 without gaps',
    mark       UInt8 COMMENT '1 on the first row of a part, 0 on its deltas',

    experiment LowCardinality(String) COMMENT 'empty on the mark',
    iteration  UInt32,
    phase      UInt16 COMMENT 'phase of the first exposure',
    settling   Bool COMMENT 'first exposed within the phase''s settle time',
    variant    LowCardinality(String),
    metric     LowCardinality(String) COMMENT 'a metric, or a counter of the join beginning with $',
    slot       DateTime('UTC') COMMENT 'start of the exposure slot' CODEC(Delta, ZSTD(1)),
    dimension  LowCardinality(String) COMMENT 'empty for all units',
    value      LowCardinality(String) COMMENT 'of the dimension',
    n          Int64 COMMENT 'units',
    nonzero    Int64 COMMENT 'units with y other than 0',
    over       Int64 COMMENT 'units whose y is too large for the sums, in none of them',
    sy         Int128 COMMENT 'sum of y, scaled by 10^decimals',
    syy        Int128 COMMENT 'sum of y squared, scaled by 10^(2·decimals)',
    newest     DateTime64(3, 'UTC') COMMENT 'greatest event time that contributed',

    attempt    UInt64 COMMENT 'mark: who wrote the part',
    config     UInt32 COMMENT 'mark: configuration version under which the shard stands after it',
    code       LowCardinality(String) COMMENT 'mark: version of the program',
    rows       UInt32 COMMENT 'mark: rows of the part, itself included',
    written_at DateTime64(3, 'UTC') COMMENT 'mark: clock of the writer',
    topics     Array(LowCardinality(String)) COMMENT 'mark: topics with offsets in this part; the arrays after it go with it',
    topic_ids  Array(LowCardinality(String)) COMMENT 'Kafka''s id of the topic, base64; empty when the broker gives none',
    from       Array(Int64) COMMENT 'first offset of the range',
    next       Array(Int64) COMMENT 'offset after the range; next - from = the sum of the eight counts',
    accepted   Array(UInt64),
    duplicate  Array(UInt64),
    dead       Array(UInt64),
    misplaced  Array(UInt64),
    suppressed Array(UInt64) COMMENT 'erased units',
    shed       Array(UInt64) COMMENT 'left out by sampling',
    norecord   Array(UInt64) COMMENT 'offsets without a record: transaction markers, compaction',
    gap        Array(UInt64) COMMENT 'lost before they were read; accepted by a person',

    -- The token names the part, so that two inserts of one part are one. It is a
    -- constant of the statement: both comparisons are of integers, row by row.
    CONSTRAINT token CHECK
        match(getSetting('insert_deduplication_token'), '^g:(0|[1-9][0-9]*):[1-9][0-9]*(:r[1-9])?$')
        AND shard = toUInt16OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[2])
        AND seq = toUInt64OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[3])
        AND getSetting('insert_deduplicate')
        AND getSetting('deduplicate_insert') != 'disable',
    -- The mark is the first row and knows how many there are: a block that was
    -- split or cut has a piece without a mark or with a wrong count.
    CONSTRAINT one_block CHECK
        mark = (rowNumberInBlock() = 0) AND (mark = 0 OR rows = blockSize()) AND (mark = 1) = (experiment = ''),
    -- Only the next part of the shard: a writer that fell behind is refused.
    CONSTRAINT append CHECK
        if(rowNumberInBlock() = 0, seq = dictGet('{{.Database}}.watermark', 'seq', toUInt64(shard)) + 1, 1),

    -- Marks of a part are sorted by seq: one of them is found without the others.
    INDEX seqs seq TYPE minmax GRANULARITY 1,

    -- Open sums. The mark's group has an empty experiment, so that the shard's
    -- position comes from the same scan as the sums that stand for it.
    PROJECTION look
    (
        SELECT shard, experiment, iteration, dimension, metric, variant, phase, settling, value,
            max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy)
        GROUP BY shard, experiment, iteration, dimension, metric, variant, phase, settling, value
    ),
    -- The same by slot: for slots that have not matured, and for plots over time.
    PROJECTION page
    (
        SELECT shard, experiment, iteration, dimension, metric, slot, variant, phase, settling, value,
            max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy)
        GROUP BY shard, experiment, iteration, dimension, metric, slot, variant, phase, settling, value
    )
)
ENGINE = {{engine "MergeTree"}}
PARTITION BY shard
ORDER BY (mark, experiment, iteration, metric, variant, phase, dimension, value, slot, seq)
SETTINGS {{window}} = 10000
COMMENT 'Exact moments as deltas, and one mark a part. Append only; sums over it are the results.';

-- The source is a statement over merge(), because a dictionary that names the
-- ledger would depend on itself: ledger → dictionary → ledger. It asks for one
-- shard and reads the sorting key backwards, which takes the same time after a
-- year as after a day.
CREATE DICTIONARY {{.Database}}.watermark (shard UInt64, seq UInt64 DEFAULT 0)
PRIMARY KEY shard
SOURCE(CLICKHOUSE({{.Source}} QUERY '
    SELECT shard, seq
    FROM merge(\'{{.Database}}\', \'^ledger$\')
    WHERE mark = 1 AND {condition}
    ORDER BY mark DESC, experiment DESC, iteration DESC, metric DESC, variant DESC,
        phase DESC, dimension DESC, value DESC, slot DESC, seq DESC
    LIMIT 1'))
LAYOUT(DIRECT())
COMMENT 'The last part of one shard, read at each question.';{{end}}

{{if .Home}}CREATE TABLE {{.Database}}.shard_status
(
    shard     UInt16,
    seq       UInt64 COMMENT 'everything up to this part was committed when freshness held',
    freshness DateTime64(3, 'UTC') COMMENT 'everything older has been read',
    config    UInt32 COMMENT 'configuration version',
    state     LowCardinality(String) COMMENT 'ok, or why the shard stands still',
    detail    String,
    at        DateTime64(3, 'UTC') COMMENT 'when it was said'
)
ENGINE = {{engine "ReplacingMergeTree" "at"}}
ORDER BY shard
TTL toDateTime(at) + INTERVAL 30 DAY
COMMENT 'What the consumer of each shard last said about itself.';{{end}}

-- +goose Down
{{if .Home}}DROP TABLE {{.Database}}.shard_status;{{end}}
{{if .Node}}DROP TABLE {{.Database}}.ledger;
DROP DICTIONARY {{.Database}}.watermark;{{end}}
