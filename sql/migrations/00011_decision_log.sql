-- The view of the decision log also has the sentence for people, and the hash that
-- whoever reads a line can keep.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.decision_log
(
    seq        UInt64 COMMENT 'number, without gaps',
    at         DateTime64(3, 'UTC') COMMENT 'when',
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    guardrail  LowCardinality(String) COMMENT 'metric of the guardrail',
    arm        LowCardinality(String) COMMENT 'key of the variant it is about',
    kind       LowCardinality(String) COMMENT 'what was done or decided',
    verdict    LowCardinality(String) COMMENT 'of the guardrail',
    reason     String COMMENT 'why, as one word of a closed list',
    actor      String COMMENT 'the guard, or the person',
    look       String COMMENT 'id of the look that it rests on',
    config     UInt32 COMMENT 'configuration version',
    text       String COMMENT 'one sentence for people',
    hash       String COMMENT 'SHA-256 over this row and, by the hash before, over all before it'
)
AS SELECT seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config,
    JSONExtractString(evidence, 'text') AS text, toString(hash) AS hash
FROM {{.Database}}.decisions
COMMENT 'What was decided, by whom and why. Evidence: table decisions.';{{end}}

-- +goose Down
{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.decision_log
AS SELECT seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config
FROM {{.Database}}.decisions;{{end}}
