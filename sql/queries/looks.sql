-- History, oldest first: at most one look (the first) in each stretch of `every`
-- milliseconds, the newest of them when there are more than the limit.
SELECT id, experiment, iteration, kind, at, version, vector, verdict, document, decision, expires
FROM
(
    SELECT
        id, experiment, iteration, kind, at, version, vector, verdict,
        if({documents:Bool}, document, '') AS document, decision, expires,
        if({every:Int64} = 0, id, toString(intDiv(toUnixTimestamp64Milli(at), greatest({every:Int64}, 1)))) AS stretch
    FROM
    (
        SELECT *
        FROM looks
        WHERE experiment = {experiment:String}
            AND if({kind:String} = '', kind NOT IN ('slow', 'placebo', 'analysis'), kind = {kind:String}) -- those are other documents
            AND ({iteration:UInt32} = 0 OR iteration = {iteration:UInt32})
            AND at >= fromUnixTimestamp64Milli({from:Int64}) AND at < fromUnixTimestamp64Milli({to:Int64})
        ORDER BY at, id, decision DESC
        LIMIT 1 BY id
    )
    ORDER BY at, id
    LIMIT 1 BY kind, stretch
)
ORDER BY at DESC, id DESC
LIMIT {limit:UInt64}
