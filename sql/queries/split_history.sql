-- Units of every arm of every phase over time, with the sample-ratio test: of at most
-- one look (the first) in each stretch of `every` milliseconds.
SELECT id, at, p.number AS phase, p.arms.variant AS arms, p.arms.units AS units, p.srm.p AS probability
FROM
(
    SELECT id, at, arrayJoin(JSONExtract(document, 'phases', 'Array(Tuple(
        number UInt16, arms Nested(variant String, units Int64), srm Tuple(p Nullable(Float64))))')) AS p
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
ORDER BY phase, at, id
