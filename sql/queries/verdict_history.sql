-- Verdicts over time: of at most one look (the first) in each stretch of `every`
-- milliseconds, what it said of each guardrail and arm.
SELECT at, v.metric AS metric, v.arm AS arm, v.verdict AS verdict
FROM
(
    SELECT id, at, arrayJoin(JSONExtract(document, 'verdicts', 'Array(Tuple(metric String, arm String, verdict String))')) AS v
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
ORDER BY metric, arm, at, id
