-- A ratio is made of two totals of a unit: its sums are Σy, Σy², Σz, Σz² and Σyz, all in
-- 128 bits. For every other kind the new columns are zero, which costs next to nothing
-- in a part. The projections hold all sums, so they are made anew.

-- +goose NO TRANSACTION
-- +goose Up
{{if .Node}}ALTER TABLE {{.Database}}.ledger DROP PROJECTION look SETTINGS mutations_sync = 2, alter_sync = 2;
ALTER TABLE {{.Database}}.ledger DROP PROJECTION page SETTINGS mutations_sync = 2, alter_sync = 2;
ALTER TABLE {{.Database}}.ledger
    ADD COLUMN sz  Int128 COMMENT 'of a ratio: sum of z, scaled by 10^(its decimals)' AFTER syy,
    ADD COLUMN szz Int128 COMMENT 'of a ratio: sum of z squared' AFTER sz,
    ADD COLUMN syz Int128 COMMENT 'of a ratio: sum of y times z' AFTER szz;
ALTER TABLE {{.Database}}.ledger
    ADD PROJECTION look
    (
        SELECT shard, experiment, iteration, dimension, metric, variant, phase, settling, value,
            max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy), sum(sz), sum(szz), sum(syz)
        GROUP BY shard, experiment, iteration, dimension, metric, variant, phase, settling, value
    );
ALTER TABLE {{.Database}}.ledger
    ADD PROJECTION page
    (
        SELECT shard, experiment, iteration, dimension, metric, slot, variant, phase, settling, value,
            max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy), sum(sz), sum(szz), sum(syz)
        GROUP BY shard, experiment, iteration, dimension, metric, slot, variant, phase, settling, value
    );
ALTER TABLE {{.Database}}.ledger MATERIALIZE PROJECTION look SETTINGS mutations_sync = 2;
ALTER TABLE {{.Database}}.ledger MATERIALIZE PROJECTION page SETTINGS mutations_sync = 2;{{end}}

{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.metrics
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    metric     LowCardinality(String) COMMENT 'name of the metric',
    kind       LowCardinality(String) COMMENT 'mean, sum, count, proportion, retention, ratio or quantile',
    direction  String COMMENT 'increase or decrease: which way is good',
    unit       String COMMENT 'unit of measure',
    decimals   UInt8 COMMENT 'y is held as an integer of 10^-decimals',
    denominator_decimals UInt8 COMMENT 'of a ratio: z is held as an integer of 10^-denominator_decimals'
)
AS SELECT
    experiment,
    toUInt32(JSONExtractUInt(run, 'number')) AS iteration,
    JSONExtractString(definition, 'name') AS metric,
    JSONExtractString(definition, 'kind') AS kind,
    JSONExtractString(definition, 'direction') AS direction,
    JSONExtractString(definition, 'unit') AS unit,
    toUInt8(if(kind = 'ratio', JSONExtractUInt(definition, 'numerator', 'decimals'), JSONExtractUInt(definition, 'decimals'))) AS decimals,
    toUInt8(JSONExtractUInt(definition, 'denominator', 'decimals')) AS denominator_decimals
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

CREATE OR REPLACE VIEW {{.Database}}.moments
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
    nonzero     Int64 COMMENT 'units with y other than 0, of a ratio with z other than 0 too',
    over        Int64 COMMENT 'units whose y or z is too large for the sums, in none of them',
    sum         Int128 COMMENT 'exact sum of y, scaled by 10^decimals',
    sum_squares Int128 COMMENT 'exact sum of y squared, scaled by 10^(2·decimals)',
    newest      DateTime64(3, 'UTC') COMMENT 'greatest event time that contributed',
    sum_denominator         Int128 COMMENT 'of a ratio: exact sum of z, scaled by 10^denominator_decimals',
    sum_squares_denominator Int128 COMMENT 'of a ratio: exact sum of z squared',
    sum_product             Int128 COMMENT 'of a ratio: exact sum of y times z'
)
AS SELECT
    experiment, iteration, phase, settling, variant, metric, dimension, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over,
    sum(sy) AS sum, sum(syy) AS sum_squares, max(newest) AS newest,
    sum(sz) AS sum_denominator, sum(szz) AS sum_squares_denominator, sum(syz) AS sum_product
FROM {{.Database}}.ledger
WHERE experiment != ''
GROUP BY experiment, iteration, phase, settling, variant, metric, dimension, value
COMMENT 'Exact moments as the ledger stands: everything else is computed from these.';

CREATE OR REPLACE VIEW {{.Database}}.results
(
    experiment         LowCardinality(String) COMMENT 'key of the experiment',
    iteration          UInt32 COMMENT 'numbered run of the experiment',
    phase              UInt16 COMMENT 'phase of the first exposure; phases are never pooled',
    variant            LowCardinality(String) COMMENT 'key of the variant',
    metric             LowCardinality(String) COMMENT 'name of the metric',
    dimension          LowCardinality(String) COMMENT 'attribute by which units are split; empty for all units',
    value              LowCardinality(String) COMMENT 'of the dimension',
    units              Int64 COMMENT 'exposed units, those without events too',
    mean               Float64 COMMENT 'y per unit, in the metric''s unit of measure; of a ratio y per z',
    standard_deviation Float64 COMMENT 'of y over units, with n - 1; of a ratio by the delta method; NaN below two units',
    standard_error     Float64 COMMENT 'of the mean; NaN below two units',
    unit               String COMMENT 'unit of measure',
    direction          String COMMENT 'which way is good'
)
AS SELECT
    experiment, iteration, phase, variant, metric, dimension, value,
    n AS units,
    if(kind = 'ratio', toFloat64(s) / toFloat64(z) * exp10(denominator_decimals), toFloat64(s) / n) / exp10(decimals) AS mean,
    multiIf(
        n < 2, nan,
        kind = 'ratio', sqrt(greatest(0, toFloat64(q) - 2 * (toFloat64(s) / toFloat64(z)) * toFloat64(yz) + pow(toFloat64(s) / toFloat64(z), 2) * toFloat64(zz)) / (n - 1))
            / abs(toFloat64(z) / n) * exp10(denominator_decimals),
        sqrt(toFloat64(toInt256(n) * q - toInt256(s) * s) / n / (n - 1))) / exp10(decimals) AS standard_deviation,
    standard_deviation / sqrt(n) AS standard_error,
    unit, direction
FROM
(
    SELECT experiment, iteration, phase, variant, metric, dimension, value, sum(n) AS n, sum(sy) AS s, sum(syy) AS q,
        sum(sz) AS z, sum(szz) AS zz, sum(syz) AS yz
    FROM {{.Database}}.ledger
    WHERE experiment != '' AND NOT settling
    GROUP BY experiment, iteration, phase, variant, metric, dimension, value
) AS sums
INNER JOIN {{.Database}}.metrics AS pinned
    ON sums.experiment = pinned.experiment AND sums.iteration = pinned.iteration AND sums.metric = pinned.metric
WHERE n > 0
COMMENT 'Open results of each arm as the ledger stands. Effects, intervals and verdicts are in looks.';

CREATE OR REPLACE VIEW {{.Database}}.units
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    phase      UInt16 COMMENT 'phase of the first exposure',
    settling   Bool COMMENT 'first exposed within the phase''s settle time',
    variant    LowCardinality(String) COMMENT 'key of the variant',
    units      Int64 COMMENT 'units by first exposure, before crossovers are taken out',
    crossovers Int64 COMMENT 'units that were seen in another variant of the same phase too',
    excluded   Int64 COMMENT 'units that the experiment''s exclude leaves out; in no other number'
)
AS SELECT
    experiment, iteration, phase, settling, variant,
    sumIf(n, metric = '$units') AS units, sumIf(n, metric = '$crossover') AS crossovers,
    sumIf(n, metric = '$excluded') AS excluded
FROM {{.Database}}.ledger
WHERE metric IN ('$units', '$crossover', '$excluded') AND dimension = ''
GROUP BY experiment, iteration, phase, settling, variant
COMMENT 'How many units each variant got: what the sample-ratio test looks at.';{{end}}

-- +goose Down
{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.units
AS SELECT
    experiment, iteration, phase, settling, variant,
    sumIf(n, metric = '$units') AS units, sumIf(n, metric = '$crossover') AS crossovers
FROM {{.Database}}.ledger
WHERE metric IN ('$units', '$crossover') AND dimension = ''
GROUP BY experiment, iteration, phase, settling, variant;
CREATE OR REPLACE VIEW {{.Database}}.results
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
WHERE n > 0;
CREATE OR REPLACE VIEW {{.Database}}.moments
AS SELECT
    experiment, iteration, phase, settling, variant, metric, dimension, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over,
    sum(sy) AS sum, sum(syy) AS sum_squares, max(newest) AS newest
FROM {{.Database}}.ledger
WHERE experiment != ''
GROUP BY experiment, iteration, phase, settling, variant, metric, dimension, value;
CREATE OR REPLACE VIEW {{.Database}}.metrics
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
);{{end}}
{{if .Node}}ALTER TABLE {{.Database}}.ledger DROP PROJECTION look SETTINGS mutations_sync = 2, alter_sync = 2;
ALTER TABLE {{.Database}}.ledger DROP PROJECTION page SETTINGS mutations_sync = 2, alter_sync = 2;
ALTER TABLE {{.Database}}.ledger DROP COLUMN sz, DROP COLUMN szz, DROP COLUMN syz;
ALTER TABLE {{.Database}}.ledger
    ADD PROJECTION look
    (
        SELECT shard, experiment, iteration, dimension, metric, variant, phase, settling, value,
            max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy)
        GROUP BY shard, experiment, iteration, dimension, metric, variant, phase, settling, value
    );
ALTER TABLE {{.Database}}.ledger
    ADD PROJECTION page
    (
        SELECT shard, experiment, iteration, dimension, metric, slot, variant, phase, settling, value,
            max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy)
        GROUP BY shard, experiment, iteration, dimension, metric, slot, variant, phase, settling, value
    );
ALTER TABLE {{.Database}}.ledger MATERIALIZE PROJECTION look SETTINGS mutations_sync = 2;
ALTER TABLE {{.Database}}.ledger MATERIALIZE PROJECTION page SETTINGS mutations_sync = 2;{{end}}
