-- How a unit finds its shard depends on the number of partitions. A ledger that was
-- begun with one number cannot be continued with another, not even after a restart:
-- the unit's events would be in two shards and it would count twice.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}ALTER TABLE {{.Database}}.ledger
    ADD COLUMN partitions UInt32 COMMENT 'mark: partitions of each topic when the part was written; 0: not known' AFTER code;{{end}}

-- +goose Down
{{if .Node}}ALTER TABLE {{.Database}}.ledger DROP COLUMN partitions;{{end}}
