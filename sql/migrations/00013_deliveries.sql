-- Which day's report was sent over which channel. Two processes may want to send the
-- same one; who appends the claim sends.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE DICTIONARY {{.Database}}.delivery_head (chain UInt64, seq UInt64 DEFAULT 0)
PRIMARY KEY chain
SOURCE(CLICKHOUSE({{.Source}} QUERY '
    SELECT chain, seq
    FROM
    (
        SELECT toUInt64(1) AS chain, max(number) AS seq
        FROM merge(\'{{.Database}}\', \'^deliveries$\')
    )
    WHERE {condition}'))
LAYOUT(DIRECT())
COMMENT 'The last delivery, read at each question.';

CREATE TABLE {{.Database}}.deliveries
(
    number  UInt64 COMMENT 'from 1 without gaps',
    attempt UInt64 COMMENT 'who wrote the row',
    at      DateTime64(3, 'UTC') COMMENT 'clock of the sender',
    day     Date COMMENT 'of the report, in its time zone',
    channel LowCardinality(String) COMMENT 'email, slack',
    state   LowCardinality(String) COMMENT 'claimed: somebody is sending it; sent; failed: another attempt follows; skipped: there was nothing to report',
    actor   LowCardinality(String) COMMENT 'who sends',
    detail  String COMMENT 'what went wrong, or why nothing was sent',

    CONSTRAINT token CHECK
        match(getSetting('insert_deduplication_token'), '^r:[1-9][0-9]*(:r[1-9])?$')
        AND number = toUInt64OrZero(splitByChar(':', getSetting('insert_deduplication_token'))[2])
        AND getSetting('insert_deduplicate')
        AND getSetting('deduplicate_insert') != 'disable',
    CONSTRAINT one_row CHECK blockSize() = 1,
    CONSTRAINT append CHECK number = dictGet('{{.Database}}.delivery_head', 'seq', toUInt64(1)) + 1
)
ENGINE = {{engine "MergeTree"}}
ORDER BY number
SETTINGS {{window}} = 10000
COMMENT 'Which report was sent over which channel, and by whom.';{{end}}

-- +goose Down
{{if .Home}}DROP TABLE {{.Database}}.deliveries;
DROP DICTIONARY {{.Database}}.delivery_head;{{end}}
