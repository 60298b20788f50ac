-- Guards that run say so each second: what one had begun and died of, another one
-- takes over as soon as it is silent.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE TABLE {{.Database}}.guards
(
    instance String COMMENT 'name of the guard, as in the decision log',
    at       DateTime64(3, 'UTC') COMMENT 'its clock when it last said so'
)
ENGINE = {{engine "ReplacingMergeTree" "at"}}
ORDER BY instance
TTL toDateTime(at) + INTERVAL 1 DAY
COMMENT 'Which guards run.';{{end}}

-- +goose Down
{{if .Home}}DROP TABLE {{.Database}}.guards;{{end}}
