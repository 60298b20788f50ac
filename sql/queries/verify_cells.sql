-- What the sums over a slice of a shard's units must be, recounted from events alone
-- and written down from docs/semantics.md: nothing here reads the ledger, and
-- nothing here is shared with the program that wrote it.
--
-- The slice is a range of unit hashes, so that memory is bounded; the sums of all
-- slices add up. Times are milliseconds. What the configuration says comes as JSON
-- in {trials} and {runs}: an experiment as it is now with the spans of its
-- iterations, and each iteration as it was when it ran.
WITH
    JSONExtract({trials:String}, 'Array(Tuple(
        experiment String, unit_kind String, variants Array(String), window Int64,
        spans Array(Tuple(number UInt32, start Int64, stop Int64, killed Bool))))') AS trial_list,
    JSONExtract({runs:String}, 'Array(Tuple(
        experiment String, iteration UInt32, start Int64, enrol Int64, stop Int64,
        unit_kind String, variants Array(String), window Int64, exclude Bool, consents Array(String), verified Bool,
        phases Array(Tuple(number UInt16, start Int64, settled Int64)),
        dimensions Array(Tuple(attribute String, listed Array(String))),
        barring Array(Array(Tuple(attribute String, wanted String))),
        metrics Array(Tuple(name String, window Int64, ratio Bool,
            terms Array(Tuple(event String, aggregation String, attribute String, decimals UInt8, most String, after Int64, until Int64,
                conditions Array(Tuple(attribute String, wanted String))))))))') AS run_list,
    -- A slot is a minute, an hour or a day, by the window.
    (at, window) -> at - at % multiIf(window <= 3600000, 60000, window <= 172800000, 3600000, 86400000) AS slot_of,
    (at, phases) -> greatest(1, arrayLastIndex(p -> p.start <= at, phases)) AS phase_of,
    (attrs, conditions) -> arrayAll(c -> mapContains(attrs, c.attribute) AND attrs[c.attribute] = c.wanted, conditions) AS meets,
    -- A number of 2^47 or more does not take part.
    toInt256(140737488355328) AS edge,
    -- An exact decimal as whole 10^-decimals, ties to even. NULL is beyond what the
    -- type holds, and so out of range.
    (v, decimals) -> if(v IS NULL OR abs(v) >= 1000000000000000, edge,
        intDiv(toInt256(reinterpretAsInt128(assumeNotNull(roundBankers(v, decimals)))), toInt256(exp10(12 - decimals)))) AS whole_of,
    -- The value of a number's text, rounded once to twelve decimals.
    text -> if(match(text, '^-?0(\\.0+)?([eE].*)?$'), CAST(0 AS Nullable(Decimal(38, 12))),
        CAST(roundBankers(toDecimal256OrNull(text, 60), 12) AS Nullable(Decimal(38, 12)))) AS value_of,
    -- What one of a metric's totals takes from an outcome, and why it takes nothing.
    (o, term) -> multiIf(
        term.aggregation != 'sum', toInt256(1),
        term.attribute = '', whole_of(CAST(o.value AS Nullable(Decimal(38, 12))), term.decimals),
        whole_of(value_of(o.attrs[term.attribute]), term.decimals)) AS taken_of,
    (o, term, taken) -> multiIf(
        term.aggregation != 'sum', '',
        term.attribute != '' AND NOT match(o.attrs[term.attribute], '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$'), '$bad_attribute',
        abs(taken) >= edge, '$out_of_range',
        '') AS refusal_of,
    -- The outcomes that count for a total, in their iteration.
    (did, term, first_at, start, stop) -> arrayFilter(o -> o.name = term.event AND o.at >= start AND o.at < stop
        AND o.at - first_at >= term.after AND o.at - first_at <= term.until AND meets(o.attrs, term.conditions), did) AS counting_of,
    -- The total, cut at its cap.
    (term, taken, refused) -> least(
        if(term.aggregation = 'any', toInt256(notEmpty(taken)), arraySum((x, why) -> if(why = '', x, toInt256(0)), taken, refused)),
        if(term.most = '', edge, whole_of(value_of(term.most), term.decimals))) AS total_of,
    -- What is counted once, in no dimension.
    (phase, settling, metric, slot, value) -> (phase, settling, metric, slot, value, false, true, false, false, toInt256(0), toInt256(0)) AS one,
    trials AS
    (
        SELECT x.experiment AS experiment, x.unit_kind AS kind_now, x.variants AS variants_now, x.window AS window_now, x.spans AS spans
        FROM (SELECT arrayJoin(trial_list) AS x)
    ),
    runs AS
    (
        SELECT
            x.experiment AS experiment, x.iteration AS iteration, x.start AS start, x.enrol AS enrol, x.stop AS stop,
            x.unit_kind AS run_kind, x.variants AS variants, x.window AS window, x.exclude AS exclude, x.consents AS consents, x.verified AS verified,
            x.phases AS phases, x.dimensions AS dimensions, x.barring AS barring, x.metrics AS metrics
        FROM (SELECT arrayJoin(run_list) AS x)
    ),
    -- Which record counts: below the watermark, where its unit belongs, and the
    -- first of its identity in the partition's log. Without an id the place is the
    -- identity, that of origin where a record was copied. A place that is stored
    -- twice has one identity, too.
    accepted AS
    (
        SELECT
            toInt64(toUnixTimestamp64Milli(t)) AS at, type, unit_kind, unit,
            (toString(topic), origin_partition, if(origin_partition < 0, offset, origin_offset)) AS place,
            toString(experiment) AS trial, toString(variant) AS arm, toString(event) AS name, value, attrs
        FROM events
        WHERE shard = {shard:UInt16} AND unit >= {first:UInt128} AND unit <= {last:UInt128} AND NOT misplaced
            AND unit NOT IN {hidden:Array(UInt128)}
            AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
        ORDER BY unit, t, topic, offset
        LIMIT 1 BY unit, t, topic, type, unit_kind, id, if(id = '', place, ('', -1, -1))
    ),
    -- An exposure that lacks the consent that is asked for at its time (an empty list:
    -- none is), or that was stored without its unit: it counts by itself, at its minute.
    asked AS
    (
        SELECT
            unit, unit_kind, at AS told_at, place, attrs, trial, arm, kind_now, variants_now, window_now, spans,
            if(mapContains(attrs, '$consent'), attrs['$consent'], 'unknown') AS said,
            unit = 0 OR notEmpty(consents) AND NOT has(consents, said) AS refused
        FROM
        (
            SELECT *, arrayFirst(s -> s.start <= at AND at < s.stop, spans).number AS told_under
            FROM accepted
            INNER JOIN trials ON accepted.trial = trials.experiment
            WHERE type = 'exposure'
        ) AS told
        LEFT JOIN (SELECT experiment, iteration, consents FROM runs) AS asking
            ON told.trial = asking.experiment AND told.told_under = asking.iteration
    ),
    -- An exposure with the iteration that covers it, else the one that a kill ended
    -- last before it, else 0.
    shown AS
    (
        SELECT
            unit, unit_kind, if(refused, told_at - told_at % 60000, told_at) AS at, place, attrs, trial, arm,
            kind_now, variants_now, window_now, said, refused,
            arrayFirst(s -> s.start <= at AND at < s.stop, spans).number AS covering,
            arrayLast(s -> s.stop <= at, spans) AS ended,
            multiIf(covering > 0, covering, ended.killed, ended.number, 0) AS under
        FROM asked
    ),
    -- The same, with the counter under which it is put aside; '' takes part. Where
    -- consent is asked for, what takes part is counted by what it says, too.
    exposures AS
    (
        SELECT
            unit, at, place, attrs, trial, arm, covering, enrol, said,
            multiIf(
                unit_kind != if(under > 0, run_kind, kind_now), '$other_unit_kind',
                covering = 0 AND under > 0, '$after_end',
                covering = 0, '$outside',
                NOT has(variants, arm), '$unknown_variant',
                refused, '$consent',
                '') AS counter,
            multiIf(counter NOT IN ('', '$consent'), counter, counter = '$consent' OR notEmpty(consents), '$consent', '') AS counted_as,
            if(counter = '$other_unit_kind', covering, under) AS counted_under,
            if(has(if(counted_under > 0, variants, variants_now), arm), arm, '') AS known_arm,
            if(covering > 0, phases[phase_of(at, phases)].number, 0) AS in_phase,
            slot_of(at, if(counted_under > 0, window, window_now)) AS in_slot
        FROM shown
        LEFT JOIN runs ON shown.trial = runs.experiment AND shown.under = runs.iteration
    ),
    -- A unit in an iteration: its first exposure and all others, in their order: by
    -- time, by the bytes of the variant's key, by place.
    members AS
    (
        SELECT
            unit, trial, covering,
            minIf((at, arm, place), at < enrol) AS least,
            argMinIf(attrs, (at, arm, place), at < enrol) AS told,
            groupArray((at, arm, place)) AS seen
        FROM exposures
        WHERE counter = ''
        GROUP BY unit, trial, covering
        HAVING countIf(at < enrol) > 0
    ),
    done AS
    (
        SELECT unit, groupArray((name, at, value, attrs)::Tuple(name String, at Int64, value Decimal(38, 12), attrs Map(String, String))) AS did
        FROM accepted
        WHERE type = 'outcome' AND has(arrayFlatten(arrayMap(r -> arrayMap(m -> m.terms.event, r.metrics), run_list)), name)
        GROUP BY unit
    ),
    -- Where the unit belongs, and whether it is left out: by its attributes, or as a
    -- crossover. The metric $units stands for the unit itself: it has no events.
    placed AS
    (
        SELECT
            trial, covering, start, stop, window, dimensions, did,
            -- Where verified attributes are wanted, an exposure that proves nothing has none.
            if(verified AND told['$verified'] != 'verified', mapFilter((k, v) -> startsWith(k, '$'), told), told) AS first_attrs,
            least.1 AS first_at, least.2 AS variant,
            phase_of(first_at, phases) AS p,
            phases[p].number AS phase,
            p > 1 AND first_at < phases[p].settled AS settling,
            -- Not one of the units that are measured, or left out by its attributes.
            first_attrs['$sample'] = 'out' AS unsampled,
            unsampled OR arrayExists(c -> meets(first_attrs, c), barring) AS barred,
            arrayFilter(x -> x.2 != variant, seen) AS others,
            arraySort(arrayFilter(x -> phase_of(x.1, phases) = p, others)) AS crossing,
            arrayMap(x -> (phases[phase_of(x.1, phases)].number, x.1, x.2), arrayFilter(x -> phase_of(x.1, phases) != p, others)) AS moved,
            exclude AND notEmpty(crossing) AS crossed,
            arrayJoin(metrics) AS m
        FROM members
        INNER JOIN runs ON members.trial = runs.experiment AND members.covering = runs.iteration
        LEFT JOIN done ON members.unit = done.unit
    ),
    -- A unit's y in one metric, and z below the line of a ratio, step by step: the
    -- outcomes that count, what they give, why they give nothing, the totals.
    counted AS
    (
        SELECT
            *, m.name = '$units' AS itself, m.terms[1] AS above, m.terms[2] AS below,
            counting_of(if(barred OR crossed, [], did), above, first_at, start, stop) AS counting_y,
            counting_of(if(barred OR crossed OR NOT m.ratio, [], did), below, first_at, start, stop) AS counting_z
        FROM placed
    ),
    taken AS
    (
        SELECT *, arrayMap(o -> taken_of(o, above), counting_y) AS taken_y, arrayMap(o -> taken_of(o, below), counting_z) AS taken_z
        FROM counted
    ),
    refused AS
    (
        SELECT
            *,
            arrayMap((o, x) -> refusal_of(o, above, x), counting_y, taken_y) AS refused_y,
            arrayMap((o, x) -> refusal_of(o, below, x), counting_z, taken_z) AS refused_z
        FROM taken
    ),
    summed AS
    (
        SELECT *, total_of(above, taken_y, refused_y) AS y, total_of(below, taken_z, refused_z) AS z
        FROM refused
    ),
    totals AS
    (
        SELECT *, abs(y) >= edge OR abs(z) >= edge AS over
        FROM summed
    ),
    -- Everything that a unit gives, as (phase, settling, metric, slot, value, by
    -- dimension too, n, nonzero, over, y, z).
    given AS
    (
        SELECT
            trial, covering, variant, dimensions, first_attrs,
            arrayJoin(arrayConcat(
                if(barred OR crossed AND NOT itself, [], [(phase, settling, m.name, slot_of(first_at, m.window), '', true,
                    NOT over, NOT over AND y != 0 AND (z != 0 OR NOT m.ratio), over,
                    if(over, toInt256(0), y), if(over, toInt256(0), z))]),
                if(itself AND barred AND NOT unsampled, [one(phase, settling, '$excluded', slot_of(first_at, window), '')], []),
                if(itself AND (unsampled OR NOT barred AND mapContains(first_attrs, '$sample')), [one(phase, settling, '$sample', slot_of(first_at, window), first_attrs['$sample'])], []),
                if(itself AND NOT barred AND mapContains(first_attrs, '$assignment'), [one(phase, settling, '$assignment', slot_of(first_at, window), first_attrs['$assignment'])], []),
                if(itself AND crossed AND NOT barred, [one(phase, settling, '$crossover', slot_of(first_at, window), crossing[1].2)], []),
                arrayMap(x -> one(x.1, false, '$moved', slot_of(x.2, window), x.3), if(itself AND NOT barred, moved, [])),
                arrayMap((o, why) -> one(phase, settling, why, slot_of(o.at, window), m.name),
                    arrayFilter((o, why) -> why != '', arrayConcat(counting_y, counting_z), arrayConcat(refused_y, refused_z)),
                    arrayFilter(why -> why != '', arrayConcat(refused_y, refused_z)))
            )) AS g
        FROM totals
    )
SELECT
    trial AS experiment, covering AS iteration, g.1 AS phase, g.2 AS settling, variant, g.3 AS metric, g.4 AS slot,
    split.1 AS dimension, split.2 AS value,
    toInt64(sum(g.7)) AS n, toInt64(sum(g.8)) AS nonzero, toInt64(sum(g.9)) AS over,
    toInt128(sum(g.10)) AS sy, toInt128(sum(g.10 * g.10)) AS syy,
    toInt128(sum(g.11)) AS sz, toInt128(sum(g.11 * g.11)) AS szz, toInt128(sum(g.10 * g.11)) AS syz
FROM
(
    SELECT
        trial, covering, variant, g,
        arrayJoin(arrayPushFront(
            arrayMap(d -> (d.attribute, multiIf(
                    NOT mapContains(first_attrs, d.attribute), '(none)',
                    has(d.listed, first_attrs[d.attribute]), first_attrs[d.attribute],
                    '(other)')),
                if(g.6, dimensions, [])),
            ('', g.5))) AS split
    FROM given
)
GROUP BY experiment, iteration, phase, settling, variant, metric, slot, dimension, value
UNION ALL
SELECT
    trial, counted_under, in_phase, false, known_arm, counted_as, in_slot, '', if(counted_as = '$consent', said, '') AS said_of,
    toInt64(count()), 0, 0, 0, 0, 0, 0, 0
FROM exposures
WHERE counted_as != ''
GROUP BY trial, counted_under, in_phase, known_arm, counted_as, in_slot, said_of
