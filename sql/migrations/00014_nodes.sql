-- Shards on several servers: which node holds which. On one server nothing is written
-- here. See docs/decisions/0009-nodes.md.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE DICTIONARY {{.Database}}.placement_head (chain UInt64, seq UInt64 DEFAULT 0)
PRIMARY KEY chain
SOURCE(CLICKHOUSE({{.Source}} QUERY '
    SELECT chain, seq
    FROM
    (
        SELECT toUInt64(1) AS chain, max(number) AS seq
        FROM merge(\'{{.Database}}\', \'^placements$\')
    )
    WHERE {condition}'))
LAYOUT(DIRECT())
COMMENT 'The last placement, read at each question.';

CREATE TABLE {{.Database}}.placements
(
    number  UInt64 COMMENT 'from 1 without gaps, over all shards',
    attempt UInt64 COMMENT 'who wrote the row',
    at      DateTime64(3, 'UTC') COMMENT 'clock of the writer',
    shard   UInt16 COMMENT 'partition number',
    node    LowCardinality(String) COMMENT 'name of the node, as in clickhouse.nodes',
    leaves  LowCardinality(String) COMMENT 'while the shard is moved: the node that it leaves; empty: it is there',
    actor   LowCardinality(String) COMMENT 'ingest, or who moved it',

    CONSTRAINT token CHECK
        match(getSetting('insert_deduplication_token'), '^p:[1-9][0-9]*(:r[1-9])?$')
        AND number = toUInt64OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[2])
        AND getSetting('insert_deduplicate')
        AND getSetting('deduplicate_insert') != 'disable',
    CONSTRAINT one_row CHECK blockSize() = 1,
    CONSTRAINT append CHECK number = dictGet('{{.Database}}.placement_head', 'seq', toUInt64(1)) + 1
)
ENGINE = {{engine "MergeTree"}}
ORDER BY number
SETTINGS {{window}} = 10000
COMMENT 'On which node each shard is. The last row of a shard holds.';

-- As before, but a server that is asked for its part of events need not know the
-- configuration.
CREATE OR REPLACE VIEW {{.Database}}.unknown_experiments
(
    experiment String COMMENT 'key that the exposures name',
    exposures  UInt64 COMMENT 'how many are stored',
    units      UInt64 COMMENT 'different units, about',
    variants   Array(String) COMMENT 'keys of the variants that they name, at most 20',
    first_seen DateTime64(3, 'UTC') COMMENT 'time of the earliest',
    last_seen  DateTime64(3, 'UTC') COMMENT 'time of the latest'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT
    toString(e.experiment) AS experiment, uniqExact(topic, shard, offset) AS exposures, uniq(unit) AS units,
    arraySort(groupUniqArray(20)(toString(variant))) AS variants, min(t) AS first_seen, max(t) AS last_seen
FROM {{.Database}}.events AS e
WHERE type = 'exposure' AND NOT misplaced AND toString(e.experiment) GLOBAL NOT IN
(
    SELECT JSONExtractString(raw, 'key')
    FROM (SELECT body FROM {{.Database}}.configurations ORDER BY number DESC LIMIT 1)
    ARRAY JOIN JSONExtractArrayRaw(body, 'experiments') AS raw
)
GROUP BY e.experiment
COMMENT 'Experiments that are exposed and that no file describes. Their exposures are stored and count once a file arrives.';{{end}}

-- +goose Down
{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.unknown_experiments
DEFINER = CURRENT_USER SQL SECURITY DEFINER
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
GROUP BY e.experiment;
DROP TABLE {{.Database}}.placements;
DROP DICTIONARY {{.Database}}.placement_head;{{end}}
