-- Effects over time: of at most one look (the first) in each stretch of `every`
-- milliseconds, what its document says of one metric and one arm, or of all. The numbers
-- are units of both arms, then of the difference and of the lift each the estimate and
-- both intervals; first of all units, then of those whose windows had passed.
SELECT id, at, c.metric AS metric, c.arm AS arm,
    [c.open.treatment.units, c.open.control.units, c.matured.treatment.units, c.matured.control.units] AS units,
    [
        c.open.absolute.estimate, c.open.absolute.fixed.low, c.open.absolute.fixed.high, c.open.absolute.sequential.low, c.open.absolute.sequential.high,
        c.open.relative.estimate, c.open.relative.fixed.low, c.open.relative.fixed.high, c.open.relative.sequential.low, c.open.relative.sequential.high,
        c.matured.absolute.estimate, c.matured.absolute.fixed.low, c.matured.absolute.fixed.high, c.matured.absolute.sequential.low, c.matured.absolute.sequential.high,
        c.matured.relative.estimate, c.matured.relative.fixed.low, c.matured.relative.fixed.high, c.matured.relative.sequential.low, c.matured.relative.sequential.high
    ] AS numbers
FROM
(
    SELECT id, at, arrayJoin(JSONExtract(document, 'comparisons', 'Array(Tuple(
        metric String, arm String,
        open Tuple(treatment Tuple(units Int64), control Tuple(units Int64),
            absolute Tuple(estimate Nullable(Float64), fixed Tuple(low Nullable(Float64), high Nullable(Float64)), sequential Tuple(low Nullable(Float64), high Nullable(Float64))),
            relative Tuple(estimate Nullable(Float64), fixed Tuple(low Nullable(Float64), high Nullable(Float64)), sequential Tuple(low Nullable(Float64), high Nullable(Float64)))),
        matured Tuple(treatment Tuple(units Int64), control Tuple(units Int64),
            absolute Tuple(estimate Nullable(Float64), fixed Tuple(low Nullable(Float64), high Nullable(Float64)), sequential Tuple(low Nullable(Float64), high Nullable(Float64))),
            relative Tuple(estimate Nullable(Float64), fixed Tuple(low Nullable(Float64), high Nullable(Float64)), sequential Tuple(low Nullable(Float64), high Nullable(Float64))))))')) AS c
    FROM
    (
        SELECT id, at, document
        FROM looks
        WHERE experiment = {experiment:String} AND kind = {kind:String} AND iteration = {iteration:UInt32}
            AND at >= fromUnixTimestamp64Milli({from:Int64}) AND at < fromUnixTimestamp64Milli({to:Int64})
        ORDER BY at, id, decision DESC
        LIMIT 1 BY if({every:Int64} = 0, id, toString(intDiv(toUnixTimestamp64Milli(at), greatest({every:Int64}, 1))))
    )
)
WHERE ({metric:String} = '' OR metric = {metric:String}) AND ({arm:String} = '' OR arm = {arm:String})
ORDER BY metric, arm, at, id
