-- What the moments cannot say, from stored events: covariates of a unit from before
-- its first exposure, and quantiles of events. {run} is one iteration as JSON, with
-- the metrics to compute; all times are milliseconds. Which units and events count
-- is what docs/semantics.md says, as everywhere.
--
-- This is a template in whether the experiment has few units, and in which rows it asks
-- for: the server computes a subquery anew wherever it is named. Every value is bound.
--
-- kind 'covariate': a row per phase, variant and metric with n, and the sums and the sums
-- of all products of a unit's numbers: its totals (one; a ratio's two, numerator first),
-- then for each covariate the same totals before, or the attribute and 1 where it holds no
-- number (then the attribute is 0). Totals are in whole 10^-decimals, attributes in
-- 10^-x_decimals. Where days > 1 its day_sums and day_squares are Σ and Σ of squares of
-- y_d for each of the first days d since a unit's first exposure, its low and point the same of
-- Σ_d (2d − days + 1)·y_d, and units those that had all these days within the iteration. kind 'quantile':
-- n events, their low, point and high order statistics, the units that have events at all,
-- and the sums over all units of s (events at or below the point), of m (events), and of
-- their products.
--
-- With splits > 0 only the control's units are read, and each stands in as many random
-- halvings, by the bits of a hash of its key: rows of variant '0/0', '0/1', '1/0' ….
{{- define "accepted"}}
        SELECT
            toInt64(toUnixTimestamp64Milli(t)) AS at, type, unit_kind, unit,
            (toString(topic), origin_partition, if(origin_partition < 0, offset, origin_offset)) AS place,
            toString(variant) AS arm, toString(event) AS name, value, attrs
        FROM events
{{- if .Few}}
        -- The sorting key finds these. Other columns are read only where one of them is.
        PREWHERE unit GLOBAL IN (SELECT unit FROM events WHERE type = 'exposure' AND experiment = {experiment:String})
{{- end}}
        WHERE NOT misplaced AND unit != 0
            AND offset < transform(concat(toString(shard), '/', topic), {places:Array(String)}, {next:Array(Int64)}, toInt64(0))
{{- if .Outcome}}
            AND type = 'outcome' AND has(run.events, event)
{{- else}}
            AND type = 'exposure' AND experiment = {experiment:String}
            AND (empty(run.consents) OR has(run.consents, if(mapContains(attrs, '$consent'), attrs['$consent'], 'unknown')))
{{- end}}
        ORDER BY shard, unit, t, topic, offset -- the sorting key: a unit is in one shard
        LIMIT 1 BY unit, t, topic, type, unit_kind, id, if(id = '', place, ('', -1, -1))
{{end}}
WITH
    JSONExtract({run:String}, 'Tuple(
        experiment String, unit_kind String, variants Array(String), start Int64, enrol Int64, stop Int64, grace Int64,
        exclude Bool, consents Array(String), verified Bool, exclusions Array(Array(Tuple(attribute String, wanted String))),
        phases Array(Tuple(number UInt16, start Int64, settled Int64)), pre_stop Int64, pre_length Int64,
        events Array(String),
        metrics Array(Tuple(name String, kind String, from Int64, upto Int64,
            parts Array(Tuple(event String, kind String, attribute String, decimals UInt8,
                conditions Array(Tuple(attribute String, wanted String)), cap String)),
            covariates Array(String), x_decimals UInt8, quantile Float64, before Int64, days Int64)),
        control String, splits UInt8, salt String,
        cohort Array(Tuple(attribute String, wanted String)), first_from Int64, first_until Int64)') AS run,
    toInt256('140737488355328') AS edge, -- 2^47: a number at or beyond it does not take part
    at -> greatest(1, arrayLastIndex(p -> p.start <= at, run.phases)) AS phase_of,
    (attrs, wanted) -> arrayAll(c -> mapContains(attrs, c.attribute) AND attrs[c.attribute] = c.wanted, wanted) AS holds,
    (v, decimals) -> intDiv(toInt256(reinterpretAsInt128(assumeNotNull(roundBankers(v, decimals)))), toInt256(exp10(12 - decimals))) AS scaled,
    text -> multiIf(
        NOT match(text, '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$'), NULL,
        match(text, '^-?0(\\.0+)?([eE].*)?$'), toDecimal128(0, 12),
        CAST(roundBankers(toDecimal256OrNull(text, 60), 12) AS Nullable(Decimal(38, 12)))) AS number_of,
    -- An attribute's number in whole 10^-decimals; NULL: none, or out of range.
    (text, decimals) -> if(number_of(text) IS NULL OR abs(scaled(number_of(text), decimals)) >= edge, NULL,
        scaled(number_of(text), decimals)) AS whole,
    -- A number that a part of a metric reads of an event; NULL: none, or out of range.
    (o, m) -> multiIf(
        m.kind NOT IN ('mean', 'sum', 'quantile'), toInt256(1),
        m.attribute = '', if(abs(scaled(o.value, m.decimals)) >= edge, NULL, scaled(o.value, m.decimals)),
        whole(o.attrs[m.attribute], m.decimals)) AS reading,
    (list, m) -> arrayMap(v -> assumeNotNull(v), arrayFilter(v -> v IS NOT NULL, arrayMap(o -> reading(o, m), list))) AS readings,
    (numbers, m) -> multiIf(
        m.kind IN ('proportion', 'retention'), toInt256(notEmpty(numbers)),
        m.cap != '', least(arraySum(numbers), toInt256OrZero(m.cap)),
        arraySum(numbers)) AS total_of,
    exposed AS ({{template "accepted" .Exposures}}),
    happened AS ({{template "accepted" .Outcomes}}),
    members AS
    (
        SELECT
            unit,
            minIf((at, arm, place), at < run.enrol) AS least,
            argMinIf(attrs, (at, arm, place), at < run.enrol) AS told,
            if(run.verified AND told['$verified'] != 'verified', mapFilter((k, v) -> startsWith(k, '$'), told), told) AS first_attrs,
            groupArray((at, arm)) AS seen,
            least.1 AS first_at, least.2 AS variant,
            phase_of(first_at) AS p
        FROM exposed
        WHERE unit_kind = run.unit_kind AND at >= run.start AND at < run.stop AND has(run.variants, arm)
        GROUP BY unit
        HAVING countIf(at < run.enrol) > 0
            AND NOT (p > 1 AND first_at < run.phases[p].settled)
            AND NOT (run.exclude AND arrayExists(x -> x.2 != variant AND phase_of(x.1) = p, seen))
            AND NOT arrayExists(e -> holds(first_attrs, e), run.exclusions)
            AND first_attrs['$sample'] != 'out'
            AND (run.splits = 0 OR variant = run.control)
            AND holds(first_attrs, run.cohort) AND first_at >= run.first_from AND first_at < run.first_until
    ),
    done AS
    (
        SELECT unit, groupArray((name, at, value, attrs)::Tuple(name String, at Int64, value Decimal(38, 12), attrs Map(String, String))) AS did
        FROM happened
        GROUP BY unit
    ),
    -- A unit with a metric: the numbers of its events that count, its totals, and its covariates.
    totals AS
    (
        SELECT
            run.phases[p].number AS phase, variant, m,
            arrayMap(part -> arrayFilter(o -> o.name = part.event AND holds(o.attrs, part.conditions), did), m.parts) AS owns,
            arrayMap((part, own) -> readings(arrayFilter(o ->
                o.at >= run.start AND o.at < run.stop AND o.at >= first_at + if(m.kind = 'retention', m.from, -run.grace)
                AND if(m.kind = 'retention', o.at < first_at + m.upto, o.at <= first_at + m.upto), own), part), m.parts, owns) AS read,
            arrayMap((part, numbers) -> total_of(numbers, part), m.parts, read) AS ys,
            arrayMap((part, own) -> total_of(readings(arrayFilter(o ->
                o.at >= first_at - run.pre_length AND o.at < run.pre_stop, own), part), part), m.parts, owns) AS ys_before,
            arrayFlatten(arrayMap(c -> if(c = '$pre_period', ys_before,
                [ifNull(whole(first_attrs[c], m.x_decimals), toInt256(0)), toInt256(whole(first_attrs[c], m.x_decimals) IS NULL)]),
                m.covariates)) AS xs,
            arrayConcat(ys, xs) AS unit_numbers,
            m.days > 1 AND first_at + m.days * 86400000 <= run.stop AS dated,
            arrayFilter(o -> dated AND o.at >= first_at AND o.at < first_at + m.days * 86400000, owns[1]) AS daily,
            arrayMap(o -> intDiv(o.at - first_at, 86400000), daily) AS ages,
            arrayMap(d -> if(m.kind = 'proportion', toInt256(has(ages, d)),
                arraySum(arrayMap((o, age) -> if(age = d, ifNull(reading(o, m.parts[1]), toInt256(0)), toInt256(0)), daily, ages))),
                range(toUInt64(if(dated, m.days, 0)))) AS by_day,
            arraySum(arrayMap((y, d) -> y * (2 * toInt64(d) - m.days + 1), by_day, range(length(by_day)))) AS trend,
            if(run.splits = 0, [variant], arrayMap(k -> concat(toString(k), '/', toString(bitTest(sipHash64(run.salt, unit), k))),
                range(run.splits))) AS shown_as
        FROM (SELECT * FROM members LEFT JOIN done ON members.unit = done.unit)
        ARRAY JOIN run.metrics AS m
        WHERE first_at < m.before
    ),
    ranked AS
    (
        SELECT
            phase, variant, m.name AS metric, v,
            toInt64(row_number() OVER (PARTITION BY phase, variant, metric ORDER BY v)) AS rank,
            toInt64(count() OVER (PARTITION BY phase, variant, metric)) AS n,
            {z:Float64} * sqrt(n * m.quantile * (1 - m.quantile)) AS half,
            least(greatest(toInt64(floor(n * m.quantile - half)), 1), n) AS low_rank,
            least(greatest(toInt64(ceil(n * m.quantile)), 1), n) AS point_rank,
            least(toInt64(ceil(n * m.quantile + half)), n) AS high_rank
        FROM totals ARRAY JOIN read[1] AS v
        WHERE m.kind = 'quantile'
    ),
    points AS
    (
        SELECT
            phase, variant, metric, any(n) AS events,
            minIf(v, rank = low_rank) AS low, minIf(v, rank = point_rank) AS point, minIf(v, rank = high_rank) AS high
        FROM ranked
        GROUP BY phase, variant, metric
    )
{{- if .Totals}}
SELECT
    'covariate' AS kind, phase, variant, m.name AS metric, toInt64(count()) AS n, toInt64(countIf(arrayAll(y -> y != 0, ys))) AS nonzero,
    toInt64(countIf(arrayExists(v -> abs(v) >= edge, unit_numbers))) AS over,
    toString(sumIf(trend, dated)) AS low, toString(sumIf(trend * trend, dated)) AS point, '' AS high,
    arrayMap(v -> toString(v), sumForEach(unit_numbers)) AS sums,
    arrayMap(v -> toString(v), sumForEach(arrayFlatten(arrayMap(a -> arrayMap(b -> a * b, unit_numbers), unit_numbers)))) AS products,
    toInt64(countIf(dated)) AS units,
    arrayMap(v -> toString(v), sumForEach(by_day)) AS day_sums,
    arrayMap(v -> toString(v), sumForEach(arrayMap(y -> y * y, by_day))) AS day_squares
FROM (SELECT * EXCEPT (variant, shown_as), arrayJoin(shown_as) AS variant FROM totals)
WHERE m.kind != 'quantile'
GROUP BY phase, variant, metric
{{- if .Quantiles}}
UNION ALL
{{- end}}{{end}}
{{- if .Quantiles}}
SELECT
    'quantile' AS kind, phase, variant, metric, toInt64(any(events)) AS n, toInt64(countIf(count_of > 0)) AS nonzero, toInt64(0) AS over,
    toString(any(low)), toString(any(point)), toString(any(high)),
    [toString(sum(below)), toString(sum(count_of))],
    [toString(sum(below * below)), toString(sum(below * count_of)), toString(sum(below * count_of)), toString(sum(count_of * count_of))],
    toInt64(count()), [], []
FROM
(
    SELECT
        totals.phase AS phase, totals.variant AS variant, m.name AS metric, events, low, point, high,
        toInt256(length(read[1])) AS count_of, toInt256(arrayCount(v -> v <= point, read[1])) AS below
    FROM totals
    INNER JOIN points ON totals.phase = points.phase AND totals.variant = points.variant AND totals.m.name = points.metric
    WHERE m.kind = 'quantile'
)
GROUP BY phase, variant, metric
{{- end}}
SETTINGS max_bytes_before_external_group_by = 300000000, max_bytes_before_external_sort = 300000000
