-- Which backups were made. A row is in the backup that it is about, too, so that what
-- is restored knows what it is.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE TABLE {{.Database}}.backups
(
    name     String COMMENT 'of the backup',
    begun    DateTime64(3, 'UTC') COMMENT 'when it was begun',
    at       DateTime64(3, 'UTC') COMMENT 'when this was written',
    state    LowCardinality(String) COMMENT 'begun, complete, or removed; a begun one that is not complete is worth nothing',
    schema   Int64 COMMENT 'last migration of the tables in it',
    code     LowCardinality(String) COMMENT 'version of the program',
    unit_key String COMMENT 'fingerprint of the key under which its units are hashed',
    vector   Map(UInt16, UInt64) COMMENT 'shard → a part up to which its ledger goes at least',
    bytes    UInt64 COMMENT 'size, when it is complete'
)
ENGINE = {{engine "ReplacingMergeTree" "at"}}
ORDER BY name
COMMENT 'Which backups were made, and which of them are still there.';{{end}}

-- +goose Down
{{if .Home}}DROP TABLE {{.Database}}.backups;{{end}}
