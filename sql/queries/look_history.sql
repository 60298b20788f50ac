-- Effects and splits over time: of at most one look (the first) in each stretch of
-- `every` milliseconds, what its document says of one metric and arm, or of all.
SELECT id, at, version, kind, metric, arm,
    tupleElement(c, 'open') AS open, tupleElement(c, 'matured') AS matured
FROM
(
    SELECT id, at, version, kind,
        arrayJoin(JSONExtract(document, 'comparisons', '{{comparison}}')) AS c,
        tupleElement(c, 'metric') AS metric, tupleElement(c, 'arm') AS arm
    FROM
    (
        SELECT id, at, version, kind, document
        FROM looks
        WHERE experiment = {experiment:String} AND kind = {kind:String} AND iteration = {iteration:UInt32}
            AND at >= fromUnixTimestamp64Milli({from:Int64}) AND at < fromUnixTimestamp64Milli({to:Int64})
        ORDER BY at, id, decision DESC
        LIMIT 1 BY if({every:Int64} = 0, id, toString(intDiv(toUnixTimestamp64Milli(at), greatest({every:Int64}, 1))))
    )
)
WHERE ({metric:String} = '' OR metric = {metric:String}) AND ({arm:String} = '' OR arm = {arm:String})
ORDER BY at, id, metric, arm
