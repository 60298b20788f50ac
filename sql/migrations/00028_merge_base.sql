-- Twenty parts at once were often one large part and nineteen small ones: the engine
-- adds 5 MB to each part's size, asks that the sum be base times the largest, and lowers
-- base from 5 to 2 as parts become more. At 50,000 rows a second each row was written
-- again four times within two minutes. With a base of 20 it is twice, for as many parts.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}ALTER TABLE {{.Database}}.events MODIFY SETTING merge_selector_base = 20;{{end}}

-- +goose Down
{{if .Node}}ALTER TABLE {{.Database}}.events RESET SETTING merge_selector_base;{{end}}
