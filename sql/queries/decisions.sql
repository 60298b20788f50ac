-- The newest decisions that match, oldest first.
SELECT
    seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config, code,
    evidence, toString(prev_hash) AS previous, toString(hash) AS sha256
FROM
(
    SELECT *
    FROM decisions
    WHERE seq > {after:UInt64} AND ({before:UInt64} = 0 OR seq < {before:UInt64})
        AND ({experiment:String} = '' OR experiment = {experiment:String})
        AND ({iteration:UInt32} = 0 OR iteration = {iteration:UInt32})
    ORDER BY seq DESC
    LIMIT {limit:UInt64}
)
ORDER BY seq
