-- The percentile of units' totals that are not zero, over a stretch of time that is
-- closed: the number at which a metric's totals will be cut. All arms together, and
-- whoever had events: it must not depend on the experiment. {metric} is one metric
-- as JSON. value is in whole 10^-decimals.
WITH
    JSONExtract({metric:String}, 'Tuple(event String, kind String, attribute String, decimals UInt8,
        conditions Array(Tuple(attribute String, wanted String)))') AS m,
    toInt256('140737488355328') AS edge, -- 2^47: a number at or beyond it does not take part
    (v, decimals) -> intDiv(toInt256(reinterpretAsInt128(assumeNotNull(roundBankers(v, decimals)))), toInt256(exp10(12 - decimals))) AS scaled,
    text -> multiIf(
        NOT match(text, '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$'), NULL,
        match(text, '^-?0(\\.0+)?([eE].*)?$'), toDecimal128(0, 12),
        CAST(roundBankers(toDecimal256OrNull(text, 60), 12) AS Nullable(Decimal(38, 12)))) AS number_of,
    accepted AS
    (
        SELECT unit, value, attrs
        FROM events
        WHERE NOT misplaced AND unit != 0 AND type = 'outcome' AND event = m.event
            AND offset < transform(concat(toString(shard), '/', topic), {places:Array(String)}, {next:Array(Int64)}, toInt64(0))
            AND t >= fromUnixTimestamp64Milli({from:Int64}) AND t < fromUnixTimestamp64Milli({to:Int64})
            AND arrayAll(c -> mapContains(attrs, c.attribute) AND attrs[c.attribute] = c.wanted, m.conditions)
        ORDER BY unit, t, topic, offset
        LIMIT 1 BY unit, t, topic, unit_kind, id, if(id = '', (toString(topic), origin_partition, if(origin_partition < 0, offset, origin_offset)), ('', -1, -1))
    ),
    numbers AS
    (
        SELECT unit, multiIf(
            m.kind NOT IN ('mean', 'sum'), toInt256(1),
            m.attribute = '', scaled(value, m.decimals),
            number_of(attrs[m.attribute]) IS NULL, edge,
            scaled(number_of(attrs[m.attribute]), m.decimals)) AS x
        FROM accepted
    ),
    totals AS (SELECT sum(x) AS y FROM numbers WHERE abs(x) < edge GROUP BY unit HAVING y != 0)
SELECT toInt64(count()) AS units,
    toString(if(units = 0, toInt256(0), arraySort(groupArray(y))[greatest(toInt64(ceil(units * {percentile:Float64} / 100)), 1)])) AS value
FROM totals
