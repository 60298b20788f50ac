-- Every merge of events writes its rows anew, for as much of the server's processor
-- as the insert itself. The default merges as few as three parts, so that a row is
-- written again about three times before it is in a large part; merging at least
-- twenty at once, it is once or twice. A month then rests in tens of parts and not
-- in a handful: docs/capacity.md has what that costs the readers.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}ALTER TABLE {{.Database}}.events MODIFY SETTING min_parts_to_merge_at_once = 20;{{end}}

-- +goose Down
{{if .Node}}ALTER TABLE {{.Database}}.events RESET SETTING min_parts_to_merge_at_once;{{end}}
