-- What the parts after a position of every shard add to the sums, by the last cutoff
-- that is not after the slot, and the marks of these parts. The comment is where
-- tally_shard.sql stands, for the shards that are known. A mark of any other shard
-- says that there is one.
SELECT
    roundDown(toUnixTimestamp(slot), {cuts:Array(UInt32)}) AS since,
    experiment, iteration, phase, settling, variant, metric, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over, sum(sy) AS sy, sum(syy) AS syy,
    sum(sz) AS sz, sum(szz) AS szz, sum(syz) AS syz, max(newest) AS newest,
    groupArrayIf((shard, seq, attempt, config), mark = 1) AS marks
FROM
(
    /* SHARDS */
    SELECT
        shard, seq, mark, attempt, config, experiment, iteration, phase, settling, variant, metric, value, slot,
        n, nonzero, over, sy, syy, sz, szz, syz, newest
    FROM ledger
    WHERE mark = 1 AND shard NOT IN {known:Array(UInt16)}
)
GROUP BY since, experiment, iteration, phase, settling, variant, metric, value
