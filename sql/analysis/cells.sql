-- Sums over a slice of a shard's units under a definition that was not planned, from
-- events alone; what counts is what docs/semantics.md says. The slice is a range of
-- unit hashes: the sums of all slices add up, and memory is bounded by one.
--
-- This is a template in how many totals there are, and in what need not be read;
-- every value is bound. {run} is the iteration under the definition as JSON, times are
-- milliseconds, variants and topics are sorted by their bytes.
WITH
    JSONExtract({run:String}, 'Tuple(
        experiment String, unit_kind String, variants Array(String), start Int64, enrol Int64, stop Int64, exclude Bool, consents Array(String), verified Bool,
        phases Array(Tuple(number UInt16, start Int64, settled Int64)),
        barring Array(Array(Tuple(attribute String, wanted String))),
        cohort Array(Tuple(attribute String, wanted String)), first_from Int64, first_until Int64,
        terms Array(Tuple(event String, aggregation String, attribute String, decimals UInt8, most Int64, after Int64, until Int64,
            conditions Array(Tuple(attribute String, wanted String)))),
        befores Array(Int64))') AS run,
    toInt128('140737488355328') AS edge, -- 2^47: a number at or beyond it does not take part
    at -> greatest(1, arrayLastIndex(p -> p.start <= at, run.phases)) AS phase_of,
    (attrs, wanted) -> arrayAll(c -> mapContains(attrs, c.attribute) AND attrs[c.attribute] = c.wanted, wanted) AS holds,
    attrs -> NOT run.verified OR attrs['$verified'] = 'verified' AS believed, -- else no attribute is
    (v, decimals) -> intDiv(reinterpretAsInt128(assumeNotNull(roundBankers(v, decimals))), toInt128(exp10(12 - decimals))) AS scaled,
    text -> multiIf(
        NOT match(text, '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$'), NULL,
        match(text, '^-?0(\\.0+)?([eE].*)?$'), toDecimal128(0, 12),
        CAST(roundBankers(toDecimal256OrNull(text, 60), 12) AS Nullable(Decimal(38, 12)))) AS number_of,
    stored AS
    (
        SELECT
            unit, toInt64(toUnixTimestamp64Milli(t)) AS at, topic, type, unit_kind, id, offset, origin_partition, origin_offset,
            experiment, variant, event, value{{if .Attributes}}, attrs{{end}}
        FROM events
        WHERE shard = {shard:UInt16} AND unit >= {first:UInt128} AND unit <= {last:UInt128} AND unit != 0 AND NOT misplaced
            AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
    ),
{{- if .Again}}
    -- Only what shares unit, time and type with another row can be a duplicate. The
    -- first of an identity in its partition's log counts.
    again AS (SELECT cityHash64(unit, at, type) AS h FROM stored GROUP BY h HAVING count() > 1),
    accepted AS
    (
        SELECT * FROM stored WHERE cityHash64(unit, at, type) NOT IN again
        UNION ALL
        SELECT * FROM
        (
            SELECT * FROM stored WHERE cityHash64(unit, at, type) IN again
            ORDER BY unit, at, topic, offset
            LIMIT 1 BY unit, at, topic, type, unit_kind, id,
                if(id = '', (toString(topic), origin_partition, if(origin_partition < 0, offset, origin_offset)), ('', -1, -1))
        )
    ),
{{- else}}
    accepted AS (SELECT * FROM stored),
{{- end}}
    -- Everything about an exposure as one number, so that the least one is found by
    -- comparing numbers: time, variant, place (topic, partition, offset), and whether
    -- the unit would be barred or is of the cohort. Units that are not measured are of none.
    exposures AS
    (
        SELECT
            unit, at, toUInt8(indexOf(run.variants, toString(variant))) AS arm,
            bitShiftLeft(toUInt256(at), 120) + bitShiftLeft(toUInt256(arm), 112) + bitShiftLeft(toUInt256(indexOf({topics:Array(String)}, toString(topic))), 104)
                + bitShiftLeft(toUInt256(origin_partition + 1), 72) + bitShiftLeft(toUInt256(if(origin_partition < 0, offset, origin_offset)), 8)
                + {{if .Attributes}}toUInt8(believed(attrs) AND arrayExists(e -> holds(attrs, e), run.barring)) + 2 * toUInt8((empty(run.cohort) OR believed(attrs) AND holds(attrs, run.cohort)) AND attrs['$sample'] != 'out'){{else}}2{{end}} AS packed
        FROM accepted
        WHERE type = 'exposure' AND experiment = run.experiment AND unit_kind = run.unit_kind AND has(run.variants, toString(variant))
            AND at >= run.start AND at < run.stop
{{- if .Consent}}
            AND has(run.consents, if(mapContains(attrs, '$consent'), attrs['$consent'], 'unknown'))
{{- end}}
    ),
    members AS
    (
        SELECT
            unit, minIf(packed, at < run.enrol) AS least, groupUniqArray(at * 256 + arm) AS seen,
            toInt64(bitShiftRight(least, 120)) AS first_at, toUInt8(bitAnd(bitShiftRight(least, 112), 255)) AS variant,
            toUInt8(phase_of(first_at)) AS p,
            arraySort(arrayFilter(x -> x % 256 != variant AND phase_of(intDiv(x, 256)) = p, seen))[1] % 256 AS other,
            toUInt8(bitAnd(least, 255)) AS flags, flags % 2 = 1 AS barred
        FROM exposures
        GROUP BY unit
        HAVING countIf(at < run.enrol) > 0 AND flags >= 2 AND first_at >= run.first_from AND first_at < run.first_until
    ),
    outcomes AS
    (
        SELECT
            unit, at
{{- range .Terms}},
            if(event = run.terms[{{.}}].event{{if $.Attributes}} AND holds(attrs, run.terms[{{.}}].conditions){{end}}, multiIf(
                run.terms[{{.}}].aggregation != 'sum', toInt128(1),
{{- if $.Attributes}}
                run.terms[{{.}}].attribute != '', ifNull(scaled(number_of(attrs[run.terms[{{.}}].attribute]), run.terms[{{.}}].decimals), edge),
{{- end}}
                scaled(value, run.terms[{{.}}].decimals)), toInt128(0)) AS whole{{.}},
            if(abs(whole{{.}}) >= edge, toInt128(0), whole{{.}}) AS x{{.}}
{{- end}}
        FROM accepted
        WHERE type = 'outcome' AND has(run.terms.event, toString(event)) AND at >= run.start AND at < run.stop
    ),
    -- A unit with what its outcomes add up to. One without any has its row, too.
    summed AS
    (
        SELECT
            members.unit AS who, any(first_at) AS began, any(p) AS phase_index, any(variant) AS arm, any(multiIf(barred, -1, other)) AS out
{{- range .Terms}},
            sum(if(at - first_at >= run.terms[{{.}}].after AND at - first_at <= run.terms[{{.}}].until, x{{.}}, toInt128(0))) AS s{{.}},
            least(if(run.terms[{{.}}].aggregation = 'any', toInt128(s{{.}} > 0), s{{.}}), toInt128(run.terms[{{.}}].most)) AS y{{.}}
{{- end}}
        FROM outcomes RIGHT JOIN members ON outcomes.unit = members.unit
        GROUP BY who
    )
SELECT
    run.phases[phase_index].number AS phase, phase_index > 1 AND began < run.phases[phase_index].settled AS settling,
    run.variants[arm] AS variant,
    out = -1 AS barred, if(out > 0, run.variants[greatest(out, 1)], '') AS other, toInt64(count()) AS units
{{- if .Spread}},
    began < run.befores[1] AS mature, toInt64(greatest(least(y1, edge), -edge)) AS y
{{- else if not .Metrics}},
    CAST([], 'Array(Array(String))') AS sums
{{- else}},
    arrayMap(list -> arrayMap(v -> toString(v), list), [
{{- range $i, $m := .Metrics}}{{if $i}},{{end}}
        [{{range $k, $when := $.Ages}}{{if $k}},
         {{end}}toInt128(countIf(NOT {{$m.Over}} AND {{$m.Aged $when}})), toInt128(countIf(NOT {{$m.Over}} AND {{$m.Nonzero}} AND {{$m.Aged $when}})), toInt128(countIf({{$m.Over}} AND {{$m.Aged $when}})),
         sumIf({{$m.Y}}, NOT {{$m.Over}} AND {{$m.Aged $when}}), sumIf({{$m.Y}} * {{$m.Y}}, NOT {{$m.Over}} AND {{$m.Aged $when}}),
         sumIf({{$m.Z}}, NOT {{$m.Over}} AND {{$m.Aged $when}}), sumIf({{$m.Z}} * {{$m.Z}}, NOT {{$m.Over}} AND {{$m.Aged $when}}), sumIf({{$m.Y}} * {{$m.Z}}, NOT {{$m.Over}} AND {{$m.Aged $when}}){{end}}]
{{- end}}]) AS sums
{{- end}}
FROM summed
GROUP BY phase, settling, variant, barred, other{{if .Spread}}, mature, y{{end}}
-- Compiled, 26.7 gets comparisons of Int128 wrong, from the fourth time on.
SETTINGS max_threads = 1, compile_expressions = 0, compile_aggregate_expressions = 0
