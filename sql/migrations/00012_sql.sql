-- What people query, in a database of its own: an account that may select from it
-- sees the documented views and nothing else, without a list of names that somebody
-- must keep. Each view reads with the rights of who migrates, not of who asks. Some
-- have the name of a table that lies beside the older views, which stay
-- (docs/decisions/0008-a-database-of-views.md).

-- +goose NO TRANSACTION
-- +goose Up
{{if .Home}}CREATE VIEW {{.Views}}.results
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, iteration, phase, variant, metric, dimension, value, units, mean, standard_deviation, standard_error, unit, direction
FROM {{.Database}}.results
COMMENT 'Open results of each arm as the ledger stands. Effects, intervals and verdicts are in looks.';

CREATE VIEW {{.Views}}.moments
(
    experiment              LowCardinality(String) COMMENT 'key of the experiment',
    iteration               UInt32 COMMENT 'numbered run; 0 is outside every iteration',
    phase                   UInt16 COMMENT 'phase of the first exposure; phases are never pooled',
    settling                Bool COMMENT 'first exposed within the phase''s settle time: shown, outside effects',
    variant                 LowCardinality(String) COMMENT 'key of the variant',
    metric                  LowCardinality(String) COMMENT 'a metric, or a counter of the join beginning with $',
    dimension               LowCardinality(String) COMMENT 'attribute by which units are split; empty for all units',
    value                   LowCardinality(String) COMMENT 'of the dimension',
    n                       Int64 COMMENT 'units',
    nonzero                 Int64 COMMENT 'units with y other than 0',
    over                    Int64 COMMENT 'units whose y is too large for the sums, in none of them',
    sum                     Int128 COMMENT 'exact sum of y, scaled by 10^decimals',
    sum_squares             Int128 COMMENT 'exact sum of y squared, scaled by 10^(2·decimals)',
    newest                  DateTime64(3, 'UTC') COMMENT 'greatest event time that contributed',
    sum_denominator         Int128 COMMENT 'of a ratio: exact sum of z, scaled by 10^denominator_decimals',
    sum_squares_denominator Int128 COMMENT 'of a ratio: exact sum of z squared',
    sum_product             Int128 COMMENT 'of a ratio: exact sum of y times z'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, iteration, phase, settling, variant, metric, dimension, value, n, nonzero, over, sum, sum_squares, newest, sum_denominator, sum_squares_denominator, sum_product
FROM {{.Database}}.moments
COMMENT 'Exact moments as the ledger stands: everything else is computed from these.';

CREATE VIEW {{.Views}}.units
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, iteration, phase, settling, variant, units, crossovers, excluded
FROM {{.Database}}.units
COMMENT 'How many units each variant got: what the sample-ratio test looks at.';

CREATE VIEW {{.Views}}.exposures
(
    t                DateTime64(3, 'UTC') COMMENT 'event time',
    experiment       LowCardinality(String) COMMENT 'key of the experiment',
    variant          LowCardinality(String) COMMENT 'key of the variant that was seen',
    unit_kind        LowCardinality(String) COMMENT 'what was randomised: user, device …',
    unit             UInt128 COMMENT 'keyed hash of the unit',
    id               String COMMENT 'the producer''s id of the event; empty: its place is its identity',
    attrs            Map(String, String) COMMENT 'attributes of the allow-list',
    misplaced        Bool COMMENT 'in the wrong partition for its unit: never joined',
    kafka_t          DateTime64(3, 'UTC') COMMENT 'the record''s own timestamp',
    topic            LowCardinality(String) COMMENT 'source topic',
    shard            UInt16 COMMENT 'partition',
    offset           Int64 COMMENT 'offset in the partition; it counts when it is below its shard''s next_offset in marks',
    origin_partition Int32 COMMENT 'of a record that was keyed anew: where it was first written; -1 for all others',
    origin_offset    Int64 COMMENT 'and its offset there'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT t, experiment, variant, unit_kind, unit, id, attrs, misplaced, kafka_t, topic, shard, offset, origin_partition, origin_offset
FROM {{.Database}}.events FINAL
WHERE type = 'exposure'
COMMENT 'Every stored exposure once per place, duplicates and later ones of a unit included.';

CREATE VIEW {{.Views}}.outcomes
(
    t                DateTime64(3, 'UTC') COMMENT 'event time',
    event            LowCardinality(String) COMMENT 'name of the event',
    value            Decimal(38, 12) COMMENT 'its value, 1 when it has none',
    unit_kind        LowCardinality(String) COMMENT 'what was randomised: user, device …',
    unit             UInt128 COMMENT 'keyed hash of the unit',
    id               String COMMENT 'the producer''s id of the event; empty: its place is its identity',
    attrs            Map(String, String) COMMENT 'attributes of the allow-list',
    misplaced        Bool COMMENT 'in the wrong partition for its unit: never joined',
    kafka_t          DateTime64(3, 'UTC') COMMENT 'the record''s own timestamp',
    topic            LowCardinality(String) COMMENT 'source topic',
    shard            UInt16 COMMENT 'partition',
    offset           Int64 COMMENT 'offset in the partition; it counts when it is below its shard''s next_offset in marks',
    origin_partition Int32 COMMENT 'of a record that was keyed anew: where it was first written; -1 for all others',
    origin_offset    Int64 COMMENT 'and its offset there'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT t, event, value, unit_kind, unit, id, attrs, misplaced, kafka_t, topic, shard, offset, origin_partition, origin_offset
FROM {{.Database}}.events FINAL
WHERE type = 'outcome'
COMMENT 'Every stored outcome once per place, duplicates included.';

CREATE VIEW {{.Views}}.decisions
(
    seq        UInt64 COMMENT 'number, from 1 without gaps',
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
    code       LowCardinality(String) COMMENT 'version of the program',
    text       String COMMENT 'one sentence for people',
    evidence   String COMMENT 'everything that it rests on, as JSON',
    prev_hash  String COMMENT 'hash of the row before; 64 zeros on the first',
    hash       String COMMENT 'SHA-256 over this row and, by the hash before, over all before it'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config, code,
    JSONExtractString(evidence, 'text') AS text, evidence, toString(prev_hash) AS prev_hash, toString(hash) AS hash
FROM {{.Database}}.decisions
COMMENT 'What was decided, by whom, on which evidence; each row carries the hash of the one before.';

CREATE VIEW {{.Views}}.dead_letters
(
    topic    LowCardinality(String) COMMENT 'source topic',
    shard    UInt16 COMMENT 'partition',
    offset   Int64 COMMENT 'offset in the partition',
    kafka_t  DateTime64(3, 'UTC') COMMENT 'the record''s own timestamp',
    reason   LowCardinality(String) COMMENT 'why it cannot be an event',
    size     UInt32 COMMENT 'bytes of the record''s value',
    position Int32 COMMENT 'byte offset of the error in the value, -1 without one',
    detail   String COMMENT 'what is wrong, without any of the payload'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT topic, shard, offset, kafka_t, reason, size, position, detail
FROM {{.Database}}.dead_letters FINAL
COMMENT 'Records that cannot be events, once per place. The payload stays in Kafka.';

CREATE VIEW {{.Views}}.configurations
(
    number     UInt32 COMMENT 'of the version, from 1 without gaps',
    applied_at DateTime64(3, 'UTC') COMMENT 'when',
    author     String COMMENT 'by whom',
    reason     String COMMENT 'why',
    hash       String COMMENT 'SHA-256 of the experiments, hexadecimal',
    body       String COMMENT 'experiments, iterations and metrics as they stand in this version, as JSON'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT number, applied_at, author, reason, toString(hash) AS hash, body
FROM {{.Database}}.configurations
COMMENT 'Every applied state of the whole configuration.';

CREATE VIEW {{.Views}}.metrics
(
    experiment           LowCardinality(String) COMMENT 'key of the experiment',
    iteration            UInt32 COMMENT 'numbered run of the experiment',
    metric               LowCardinality(String) COMMENT 'name of the metric',
    kind                 LowCardinality(String) COMMENT 'mean, sum, count, proportion, retention, ratio or quantile',
    direction            String COMMENT 'increase or decrease: which way is good',
    unit                 String COMMENT 'unit of measure',
    decimals             UInt8 COMMENT 'y is held as an integer of 10^-decimals',
    denominator_decimals UInt8 COMMENT 'of a ratio: z is held as an integer of 10^-denominator_decimals'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, iteration, metric, kind, direction, unit, decimals, denominator_decimals
FROM {{.Database}}.metrics
COMMENT 'Metric definitions as each iteration pinned them, from the newest configuration version.';

CREATE VIEW {{.Views}}.looks
(
    id         String COMMENT 'greater when later',
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    kind       LowCardinality(String) COMMENT 'guard: guardrail metrics; full: all metrics and dimensions; slow: from stored events; placebo: random halves of the control',
    at         DateTime64(3, 'UTC') COMMENT 'when it was computed',
    version    UInt32 COMMENT 'configuration version',
    vector     Map(UInt16, UInt64) COMMENT 'shard and its last part that is in the numbers: the identity of the look',
    verdict    LowCardinality(String) COMMENT 'of the experiment as a whole',
    decision   UInt64 COMMENT 'the decision that rests on it; 0: none',
    document   String COMMENT 'everything that was computed, as JSON'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT id, experiment, iteration, kind, at, version, vector, verdict, decision, document
FROM {{.Database}}.looks FINAL
WHERE kind != 'analysis'
COMMENT 'Results as they were computed and stored: the history. Exploratory analyses are in analyses.';

CREATE VIEW {{.Views}}.latest_looks
(
    experiment LowCardinality(String) COMMENT 'key of the experiment',
    kind       LowCardinality(String) COMMENT 'guard: guardrail metrics; full: all metrics and dimensions; slow: from stored events; placebo: random halves of the control',
    at         DateTime64(3, 'UTC') COMMENT 'when it was computed',
    iteration  UInt32 COMMENT 'numbered run of the experiment',
    version    UInt32 COMMENT 'configuration version',
    verdict    LowCardinality(String) COMMENT 'of the experiment as a whole',
    id         String COMMENT 'greater when later',
    vector     Map(UInt16, UInt64) COMMENT 'shard and its last part that is in the numbers: the identity of the look',
    document   String COMMENT 'everything that was computed, as JSON'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, kind, at, iteration, version, verdict, id, vector, document
FROM {{.Database}}.looks
WHERE kind != 'analysis'
ORDER BY at DESC, id DESC, decision DESC
LIMIT 1 BY experiment, kind
COMMENT 'The newest look of each experiment and kind, as it was computed and stored.';

CREATE VIEW {{.Views}}.analyses
(
    id          String COMMENT 'greater when later',
    name        String COMMENT 'under which it was saved; empty: it was only run',
    experiment  LowCardinality(String) COMMENT 'key of the experiment',
    iteration   UInt32 COMMENT 'numbered run of the experiment',
    at          DateTime64(3, 'UTC') COMMENT 'when it was computed',
    author      String COMMENT 'by whom',
    exploratory Bool COMMENT 'always true: chosen after the data could be seen, and no part of the plan',
    number      UInt32 COMMENT 'how many different exploratory analyses of the iteration there were, this one included',
    definition  String COMMENT 'what differs from the plan, as JSON',
    version     UInt32 COMMENT 'configuration version',
    code        String COMMENT 'version of the program',
    vector      Map(UInt16, UInt64) COMMENT 'shard and its last part whose events are in the numbers',
    document    String COMMENT 'everything that was computed, as JSON'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT id, JSONExtractString(document, 'name') AS name, experiment, iteration, at, JSONExtractString(document, 'author') AS author,
    true AS exploratory, toUInt32(JSONExtractUInt(document, 'number')) AS number, JSONExtractRaw(document, 'definition') AS definition,
    version, JSONExtractString(document, 'code') AS code, vector, document
FROM {{.Database}}.looks FINAL
WHERE kind = 'analysis'
COMMENT 'Exploratory analyses, each as it was computed. None takes the place of what was planned.';

CREATE VIEW {{.Views}}.shards
(
    shard     UInt16 COMMENT 'partition number',
    seq       UInt64 COMMENT 'last part of the ledger',
    config    UInt32 COMMENT 'configuration version under which the shard counts',
    freshness DateTime64(3, 'UTC') COMMENT 'everything older has been read',
    state     String COMMENT 'ok, or why the shard stands still',
    detail    String COMMENT 'more about the state',
    said_at   DateTime64(3, 'UTC') COMMENT 'when the consumer last said so'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT shard, seq, config, freshness, state, detail, said_at
FROM {{.Database}}.shards
COMMENT 'Where each shard stands, and what its consumer says of it.';

CREATE VIEW {{.Views}}.marks
(
    shard       UInt16 COMMENT 'partition number',
    seq         UInt64 COMMENT 'number of the part within its shard',
    topic       LowCardinality(String) COMMENT 'source topic',
    from_offset Int64 COMMENT 'first offset of the range',
    next_offset Int64 COMMENT 'offset after the range: what lies below it was read',
    accepted    UInt64 COMMENT 'events that took part',
    duplicate   UInt64 COMMENT 'events that were there before',
    dead        UInt64 COMMENT 'records that cannot be events',
    misplaced   UInt64 COMMENT 'events in the wrong partition for their unit',
    suppressed  UInt64 COMMENT 'of erased units',
    shed        UInt64 COMMENT 'left out by sampling',
    norecord    UInt64 COMMENT 'offsets without a record',
    gap         UInt64 COMMENT 'lost before they were read',
    config      UInt32 COMMENT 'configuration version under which the shard stands after it',
    written_at  DateTime64(3, 'UTC') COMMENT 'clock of the writer'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT shard, seq, topic, from_offset, next_offset, accepted, duplicate, dead, misplaced, suppressed, shed, norecord, gap, config, written_at
FROM {{.Database}}.ledger
ARRAY JOIN topics AS topic, `from` AS from_offset, next AS next_offset, accepted, duplicate, dead, misplaced, suppressed, shed, norecord, gap
WHERE mark = 1
COMMENT 'What each part of the ledger read of each topic. next_offset - from_offset is the sum of the eight counts.';

CREATE VIEW {{.Views}}.gaps
(
    shard       UInt16 COMMENT 'partition',
    topic       LowCardinality(String) COMMENT 'source topic',
    kind        LowCardinality(String) COMMENT 'unread: lost before it was read; before: deleted before the topic was first read; unstored: counted, then lost; replaced: another log at places that were counted',
    seq         UInt64 COMMENT 'part of the ledger that it belongs to',
    from_offset Int64 COMMENT 'first offset of the range',
    next_offset Int64 COMMENT 'offset after the range',
    lost        UInt64 COMMENT 'how many records at most',
    accepted_at DateTime64(3, 'UTC') COMMENT 'when it was written down'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT shard, topic, kind, seq, from_offset, next_offset, lost, accepted_at
FROM {{.Database}}.gaps
COMMENT 'Data that is in no number because it was lost, and since when that is known.';

CREATE VIEW {{.Views}}.unknown_experiments
(
    experiment String COMMENT 'key that the exposures name',
    exposures  UInt64 COMMENT 'how many are stored',
    units      UInt64 COMMENT 'different units, about',
    variants   Array(String) COMMENT 'keys of the variants that they name, at most 20',
    first_seen DateTime64(3, 'UTC') COMMENT 'time of the earliest',
    last_seen  DateTime64(3, 'UTC') COMMENT 'time of the latest'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, exposures, units, variants, first_seen, last_seen
FROM {{.Database}}.unknown_experiments
COMMENT 'Experiments that are exposed and that no file describes. Their exposures are stored and count once a file arrives.';

CREATE VIEW {{.Views}}.id_conflicts
(
    topic   LowCardinality(String) COMMENT 'source topic',
    type    String COMMENT 'exposure or outcome',
    shard   UInt16 COMMENT 'partition',
    unit    UInt128 COMMENT 'keyed hash of the unit',
    id      String COMMENT 'the producer''s id of the event',
    times   UInt64 COMMENT 'how many different times the id came with; each of them counts',
    first_t DateTime64(3, 'UTC') COMMENT 'the earliest of them',
    last_t  DateTime64(3, 'UTC') COMMENT 'the latest of them'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT topic, type, shard, unit, id, times, first_t, last_t
FROM {{.Database}}.id_conflicts
COMMENT 'Ids that came with more than one time: a producer that stamps a retry anew makes two events of one.';

-- The older views, for those who may see these alone.
ALTER TABLE {{.Database}}.metrics MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.moments MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.results MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.units MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.exposures MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.outcomes MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.decision_log MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.versions MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.shards MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.gaps MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.unknown_experiments MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
ALTER TABLE {{.Database}}.id_conflicts MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER;
CREATE OR REPLACE VIEW {{.Database}}.latest_looks
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
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT experiment, kind, at, iteration, version, verdict, id, document
FROM {{.Database}}.looks
WHERE kind != 'analysis'
ORDER BY at DESC, id DESC
LIMIT 1 BY experiment, kind
COMMENT 'The newest look of each experiment, as it was computed and stored.';{{end}}

-- +goose Down
{{if .Home}}CREATE OR REPLACE VIEW {{.Database}}.latest_looks
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
ALTER TABLE {{.Database}}.id_conflicts MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.unknown_experiments MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.gaps MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.shards MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.versions MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.decision_log MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.outcomes MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.exposures MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.units MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.results MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.moments MODIFY SQL SECURITY INVOKER;
ALTER TABLE {{.Database}}.metrics MODIFY SQL SECURITY INVOKER;
DROP VIEW {{.Views}}.id_conflicts;
DROP VIEW {{.Views}}.unknown_experiments;
DROP VIEW {{.Views}}.gaps;
DROP VIEW {{.Views}}.marks;
DROP VIEW {{.Views}}.shards;
DROP VIEW {{.Views}}.analyses;
DROP VIEW {{.Views}}.latest_looks;
DROP VIEW {{.Views}}.looks;
DROP VIEW {{.Views}}.metrics;
DROP VIEW {{.Views}}.configurations;
DROP VIEW {{.Views}}.dead_letters;
DROP VIEW {{.Views}}.decisions;
DROP VIEW {{.Views}}.outcomes;
DROP VIEW {{.Views}}.exposures;
DROP VIEW {{.Views}}.units;
DROP VIEW {{.Views}}.moments;
DROP VIEW {{.Views}}.results;{{end}}
