-- Views for people. Their names and columns are documented and kept; the tables
-- behind them may change.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE VIEW {{.Database}}.metrics
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    metric     LowCardinality(String) COMMENT 'name of the metric',
    kind       LowCardinality(String) COMMENT 'mean, sum, count or proportion',
    direction  String COMMENT 'increase or decrease: which way is good',
    unit       String COMMENT 'unit of measure',
    decimals   UInt8 COMMENT 'y is held as an integer of 10^-decimals'
)
AS SELECT
    experiment,
    toUInt32(JSONExtractUInt(run, 'number')) AS iteration,
    JSONExtractString(definition, 'name') AS metric,
    JSONExtractString(definition, 'kind') AS kind,
    JSONExtractString(definition, 'direction') AS direction,
    JSONExtractString(definition, 'unit') AS unit,
    toUInt8(JSONExtractUInt(definition, 'decimals')) AS decimals
FROM
(
    SELECT experiment, run, arrayJoin(JSONExtractArrayRaw(run, 'metrics')) AS definition
    FROM
    (
        SELECT JSONExtractString(entry, 'key') AS experiment, arrayJoin(JSONExtractArrayRaw(entry, 'iterations')) AS run
        FROM
        (
            SELECT arrayJoin(JSONExtractArrayRaw(body, 'experiments')) AS entry
            FROM (SELECT argMax(body, number) AS body FROM {{.Database}}.configurations)
        )
    )
)
COMMENT 'Metric definitions as each iteration pinned them, from the newest configuration version.';

CREATE VIEW {{.Database}}.moments
(
    experiment  LowCardinality(String) COMMENT 'key of the experiment',
    iteration   UInt32 COMMENT 'numbered run; 0 is outside every iteration',
    phase       UInt16 COMMENT 'phase of the first exposure; phases are never pooled',
    settling    Bool COMMENT 'first exposed within the phase''s settle time: shown, outside effects',
    variant     LowCardinality(String) COMMENT 'key of the variant',
    metric      LowCardinality(String) COMMENT 'a metric, or a counter of the join beginning with $',
    dimension   LowCardinality(String) COMMENT 'attribute by which units are split; empty for all units',
    value       LowCardinality(String) COMMENT 'of the dimension',
    n           Int64 COMMENT 'units',
    nonzero     Int64 COMMENT 'units with y other than 0',
    over        Int64 COMMENT 'units whose y is too large for the sums, in none of them',
    sum         Int128 COMMENT 'exact sum of y, scaled by 10^decimals',
    sum_squares Int128 COMMENT 'exact sum of y squared, scaled by 10^(2·decimals)',
    newest      DateTime64(3, 'UTC') COMMENT 'greatest event time that contributed'
)
AS SELECT
    experiment, iteration, phase, settling, variant, metric, dimension, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over,
    sum(sy) AS sum, sum(syy) AS sum_squares, max(newest) AS newest
FROM {{.Database}}.ledger
WHERE experiment != ''
GROUP BY experiment, iteration, phase, settling, variant, metric, dimension, value
COMMENT 'Exact moments as the ledger stands: everything else is computed from these.';

CREATE VIEW {{.Database}}.results
(
    experiment         LowCardinality(String) COMMENT 'key of the experiment',
    iteration          UInt32 COMMENT 'numbered run of the experiment',
    phase              UInt16 COMMENT 'phase of the first exposure; phases are never pooled',
    variant            LowCardinality(String) COMMENT 'key of the variant',
    metric             LowCardinality(String) COMMENT 'name of the metric',
    dimension          LowCardinality(String) COMMENT 'attribute by which units are split; empty for all units',
    value              LowCardinality(String) COMMENT 'of the dimension',
    units              Int64 COMMENT 'exposed units, those without events too',
    mean               Float64 COMMENT 'y per unit, in the metric''s unit of measure',
    standard_deviation Float64 COMMENT 'of y over units, with n - 1; NaN below two units',
    standard_error     Float64 COMMENT 'of the mean; NaN below two units',
    unit               String COMMENT 'unit of measure',
    direction          String COMMENT 'which way is good'
)
AS SELECT
    experiment, iteration, phase, variant, metric, dimension, value,
    n AS units,
    toFloat64(s) / n / exp10(decimals) AS mean,
    if(n < 2, nan, sqrt(toFloat64(toInt256(n) * q - toInt256(s) * s) / n / (n - 1)) / exp10(decimals)) AS standard_deviation,
    standard_deviation / sqrt(n) AS standard_error,
    unit, direction
FROM
(
    SELECT experiment, iteration, phase, variant, metric, dimension, value, sum(n) AS n, sum(sy) AS s, sum(syy) AS q
    FROM {{.Database}}.ledger
    WHERE experiment != '' AND NOT settling
    GROUP BY experiment, iteration, phase, variant, metric, dimension, value
) AS sums
INNER JOIN {{.Database}}.metrics AS pinned
    ON sums.experiment = pinned.experiment AND sums.iteration = pinned.iteration AND sums.metric = pinned.metric
WHERE n > 0
COMMENT 'Open results of each arm as the ledger stands. Effects, intervals and verdicts are in looks.';

CREATE VIEW {{.Database}}.units
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    phase      UInt16 COMMENT 'phase of the first exposure',
    settling   Bool COMMENT 'first exposed within the phase''s settle time',
    variant    LowCardinality(String) COMMENT 'key of the variant',
    units      Int64 COMMENT 'units by first exposure, before crossovers are taken out',
    crossovers Int64 COMMENT 'units that were seen in another variant of the same phase too'
)
AS SELECT
    experiment, iteration, phase, settling, variant,
    sumIf(n, metric = '$units') AS units, sumIf(n, metric = '$crossover') AS crossovers
FROM {{.Database}}.ledger
WHERE metric IN ('$units', '$crossover') AND dimension = ''
GROUP BY experiment, iteration, phase, settling, variant
COMMENT 'How many units each variant got: what the sample-ratio test looks at.';

CREATE VIEW {{.Database}}.exposures
(
    t          DateTime64(3, 'UTC') COMMENT 'event time',
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    variant    LowCardinality(String) COMMENT 'key of the variant that was seen',
    unit_kind  LowCardinality(String) COMMENT 'what was randomised',
    unit       UInt128 COMMENT 'keyed hash of the unit',
    id         String COMMENT 'the producer''s id of the event',
    attrs      Map(String, String) COMMENT 'attributes of the allow-list',
    misplaced  Bool COMMENT 'in the wrong partition: never joined',
    topic      LowCardinality(String) COMMENT 'source topic',
    shard      UInt16 COMMENT 'partition',
    offset     Int64 COMMENT 'offset in the partition'
)
AS SELECT t, experiment, variant, unit_kind, unit, id, attrs, misplaced, topic, shard, offset
FROM {{.Database}}.events FINAL
WHERE type = 'exposure'
COMMENT 'Every stored exposure once per place, duplicates and later ones of a unit included.';

CREATE VIEW {{.Database}}.outcomes
(
    t         DateTime64(3, 'UTC') COMMENT 'event time',
    event     LowCardinality(String) COMMENT 'name of the event',
    value     Decimal(38, 12) COMMENT 'its value, 1 when it has none',
    unit_kind LowCardinality(String) COMMENT 'what was randomised',
    unit      UInt128 COMMENT 'keyed hash of the unit',
    id        String COMMENT 'the producer''s id of the event',
    attrs     Map(String, String) COMMENT 'attributes of the allow-list',
    misplaced Bool COMMENT 'in the wrong partition: never joined',
    topic     LowCardinality(String) COMMENT 'source topic',
    shard     UInt16 COMMENT 'partition',
    offset    Int64 COMMENT 'offset in the partition'
)
AS SELECT t, event, value, unit_kind, unit, id, attrs, misplaced, topic, shard, offset
FROM {{.Database}}.events FINAL
WHERE type = 'outcome'
COMMENT 'Every stored outcome once per place, duplicates included.';

CREATE VIEW {{.Database}}.decision_log
(
    seq        UInt64 COMMENT 'number, without gaps',
    at         DateTime64(3, 'UTC') COMMENT 'when',
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    guardrail  LowCardinality(String) COMMENT 'metric of the guardrail',
    arm        LowCardinality(String) COMMENT 'key of the variant it is about',
    kind       LowCardinality(String) COMMENT 'what was done or decided',
    verdict    LowCardinality(String) COMMENT 'of the guardrail',
    reason     String COMMENT 'in words',
    actor      String COMMENT 'the guard, or the person',
    look       String COMMENT 'id of the look that it rests on',
    config     UInt32 COMMENT 'configuration version'
)
AS SELECT seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config
FROM {{.Database}}.decisions
COMMENT 'What was decided, by whom and why. Evidence and hashes: table decisions.';

CREATE VIEW {{.Database}}.latest_looks
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    kind       LowCardinality(String) COMMENT 'guard: guardrail metrics; full: all metrics and dimensions',
    at         DateTime64(3, 'UTC') COMMENT 'when it was computed',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    version    UInt32 COMMENT 'configuration version',
    verdict    LowCardinality(String) COMMENT 'of the experiment as a whole',
    id         String COMMENT 'id of the look',
    document   String COMMENT 'everything that was computed, as JSON'
)
AS SELECT experiment, kind, at, iteration, version, verdict, id, document
FROM {{.Database}}.looks
ORDER BY at DESC, id DESC
LIMIT 1 BY experiment, kind
COMMENT 'The newest look of each experiment, as it was computed and stored.';

CREATE VIEW {{.Database}}.versions
(
    number     UInt32 COMMENT 'of the version',
    applied_at DateTime64(3, 'UTC') COMMENT 'when',
    author     String COMMENT 'by whom',
    reason     String COMMENT 'why',
    hash       String COMMENT 'SHA-256 of the experiments'
)
AS SELECT number, applied_at, author, reason, toString(hash) AS hash
FROM {{.Database}}.configurations
COMMENT 'Every applied configuration. The whole text: table configurations.';

CREATE VIEW {{.Database}}.shards
(
    shard     UInt16 COMMENT 'partition number',
    seq       UInt64 COMMENT 'last part of the ledger',
    config    UInt32 COMMENT 'configuration version under which the shard counts',
    freshness DateTime64(3, 'UTC') COMMENT 'everything older has been read',
    state     String COMMENT 'ok, or why the shard stands still',
    detail    String COMMENT 'more about the state',
    said_at   DateTime64(3, 'UTC') COMMENT 'when the consumer last said so'
)
AS SELECT shard, heads.seq AS seq, heads.config AS config, freshness, state, detail, at AS said_at
FROM
(
    SELECT shard, max(seq) AS seq, max(config) AS config
    FROM {{.Database}}.ledger
    WHERE experiment = ''
    GROUP BY shard
) AS heads
FULL OUTER JOIN (SELECT * FROM {{.Database}}.shard_status FINAL) AS said USING (shard)
COMMENT 'Where each shard stands, and what its consumer says of it.';

CREATE VIEW {{.Database}}.gaps
(
    shard       UInt16 COMMENT 'partition',
    topic       LowCardinality(String) COMMENT 'source topic',
    seq         UInt64 COMMENT 'part of the ledger that stepped over the gap',
    from_offset Int64 COMMENT 'first offset of the part''s range',
    next_offset Int64 COMMENT 'offset after the range',
    lost        UInt64 COMMENT 'offsets that were lost before they were read',
    accepted_at DateTime64(3, 'UTC') COMMENT 'when the part was written'
)
AS SELECT
    shard, tupleElement(entry, 1) AS topic, seq, tupleElement(entry, 2) AS from_offset,
    tupleElement(entry, 3) AS next_offset, tupleElement(entry, 4) AS lost, written_at AS accepted_at
FROM {{.Database}}.ledger
ARRAY JOIN arrayZip(topics, `from`, next, gap) AS entry
WHERE mark = 1 AND lost > 0
COMMENT 'Data that was lost before it was read, and that a person accepted as lost.';{{end}}

-- +goose Down
{{if .Home}}DROP VIEW {{.Database}}.gaps;
DROP VIEW {{.Database}}.shards;
DROP VIEW {{.Database}}.versions;
DROP VIEW {{.Database}}.latest_looks;
DROP VIEW {{.Database}}.decision_log;
DROP VIEW {{.Database}}.outcomes;
DROP VIEW {{.Database}}.exposures;
DROP VIEW {{.Database}}.units;
DROP VIEW {{.Database}}.results;
DROP VIEW {{.Database}}.moments;
DROP VIEW {{.Database}}.metrics;{{end}}
