-- A number of a report from raw rows: units, sum and mean of a metric of kind mean in
-- each arm, and the standard error of its difference from the control, as the newest
-- stored look has them, open and without settling units. It fails when an integer differs
-- at all, or a mean or a standard error by more than 1e-12 of itself.
--
--   curl --user reader:PASSWORD "http://HOST:8123/?database=assay_sql&param_experiment=checkout-cta&param_metric=revenue&param_event=purchase&param_window=604800" \
--        --data-binary @docs/notebooks/report_number.sql
--
-- {event} and {window} (seconds) are those of the metric's definition. It is written for
-- an experiment of one phase that excludes crossovers and has no grace; all of the rules
-- are in docs/semantics.md.
WITH
    assumeNotNull((SELECT document FROM latest_looks WHERE kind = 'full' AND experiment = {experiment:String})) AS document,
    assumeNotNull((SELECT any(decimals) FROM metrics WHERE experiment = {experiment:String} AND metric = {metric:String})) AS places,
    parseDateTime64BestEffort(JSONExtractString(document, 'start'), 3, 'UTC') AS start,
    parseDateTime64BestEffort(JSONExtractString(document, 'enrol_until'), 3, 'UTC') AS enrol_until,
    parseDateTime64BestEffort(JSONExtractString(document, 'end'), 3, 'UTC') AS stop,
    -- What the look has read: below these offsets.
    below AS
    (
        SELECT shard, topic, max(next_offset) AS next FROM marks WHERE seq <= (SELECT vector FROM latest_looks WHERE kind = 'full' AND experiment = {experiment:String})[shard] GROUP BY shard, topic
    ),
    -- An event counts once: the first of its identity in its partition.
    seen AS
    (
        SELECT e.unit AS unit, e.t AS t, e.variant AS variant, e.topic AS topic, e.offset AS offset, e.experiment AS experiment
        FROM exposures AS e INNER JOIN below ON e.shard = below.shard AND e.topic = below.topic
        WHERE e.offset < below.next AND NOT e.misplaced
        ORDER BY unit, t, topic, offset
        LIMIT 1 BY unit, t, topic, e.unit_kind, e.id, if(e.id = '', offset, -1)
    ),
    done AS
    (
        SELECT o.unit AS unit, o.t AS t, o.event AS event, o.value AS value, o.topic AS topic, o.offset AS offset
        FROM outcomes AS o INNER JOIN below ON o.shard = below.shard AND o.topic = below.topic
        WHERE o.offset < below.next AND NOT o.misplaced
        ORDER BY unit, t, topic, offset
        LIMIT 1 BY unit, t, topic, o.unit_kind, o.id, if(o.id = '', offset, -1)
    ),
    members AS
    (
        SELECT unit, argMin(variant, (t, variant, topic, offset)) AS arm, min(t) AS first_t
        FROM seen
        WHERE experiment = {experiment:String} AND t >= start AND t < stop
        GROUP BY unit
        HAVING first_t < enrol_until AND uniqExact(variant) = 1
    ),
    totals AS
    (
        SELECT members.unit AS unit, any(arm) AS variant,
            sumIf(intDiv(reinterpretAsInt128(roundBankers(done.value, places)), toInt128(exp10(12 - places))),
                done.event = {event:String} AND done.t >= start AND done.t < stop AND done.t >= first_t AND done.t <= first_t + toIntervalSecond({window:UInt32})) AS y
        FROM members LEFT JOIN done ON members.unit = done.unit
        GROUP BY unit
    ),
    raw AS (SELECT variant, toInt64(count()) AS n, sum(y) AS total, sum(toInt256(y) * toInt256(y)) AS squares FROM totals GROUP BY variant),
    -- The variance of an arm's mean, from integers alone until the division.
    spread AS
    (
        SELECT variant, n, total, toFloat64(toInt256(n) * squares - toInt256(total) * toInt256(total)) / n / (n - 1) / n / exp10(2 * places) AS variance FROM raw
    ),
    JSONExtractString(document, 'control') AS control,
    stored AS
    (
        SELECT variant, sum(cell_n) AS look_n, sum(cell_sum) AS look_total
        FROM
        (
            SELECT JSONExtractString(cell, 'variant') AS variant, JSONExtractInt(cell, 'open', 'n') AS cell_n, toInt128(JSONExtractString(cell, 'open', 'sum')) AS cell_sum
            FROM (SELECT arrayJoin(JSONExtractArrayRaw(document, 'cells')) AS cell)
            WHERE JSONExtractString(cell, 'metric') = {metric:String} AND JSONExtractString(cell, 'dimension') = '' AND NOT JSONExtractBool(cell, 'settling')
        )
        GROUP BY variant
    ),
    -- The mean as the report shows it, once for each other arm.
    shown AS
    (
        SELECT arm.1 AS variant, any(arm.2) AS look_mean, any(arm.3) AS look_error
        FROM
        (
            SELECT arrayJoin([(JSONExtractString(c, 'arm'), JSONExtractFloat(c, 'open', 'treatment', 'mean'), JSONExtractFloat(c, 'open', 'absolute', 'std_error')),
                (control, JSONExtractFloat(c, 'open', 'control', 'mean'), 0.)]) AS arm
            FROM (SELECT arrayJoin(JSONExtractArrayRaw(document, 'comparisons')) AS c)
            WHERE JSONExtractString(c, 'metric') = {metric:String}
        )
        GROUP BY variant
    )
SELECT
    stored.variant AS variant, n, total, toFloat64(total) / n / exp10(places) AS mean, look_n, look_total, look_mean,
    if(stored.variant = control, 0., sqrt(variance + (SELECT sum(variance) FROM spread WHERE variant = control))) AS error, look_error,
    throwIf(n != look_n OR total != look_total, 'the integers of the stored look are others') AS integers_differ,
    throwIf(NOT (abs(mean - look_mean) <= 1e-12 * abs(look_mean)), 'the mean of the stored look is another') AS means_differ,
    throwIf(NOT (abs(error - look_error) <= 1e-12 * look_error), 'the standard error of the stored look is another') AS errors_differ
FROM stored LEFT JOIN spread ON stored.variant = spread.variant LEFT JOIN shown ON stored.variant = shown.variant
ORDER BY variant
