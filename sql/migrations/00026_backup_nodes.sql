-- On which node each shard was when a backup was made: each node's ledger comes back
-- to where it was, and nowhere else.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}ALTER TABLE {{.Database}}.backups ADD COLUMN nodes Map(UInt16, String) COMMENT 'shard → the node that had it; empty where one server has all';{{end}}

-- +goose Down
{{if .Home}}ALTER TABLE {{.Database}}.backups DROP COLUMN nodes;{{end}}
