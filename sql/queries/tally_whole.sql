-- All sums of several iterations without the slots, and those of the slots that have
-- not matured apart by the cutoff after which they begin. What moments.sql joins
-- into one row a cell is left to the reader here, which is half of its cost.
--
-- young = 0: all slots, from projection look. young = 1: slots from the least cutoff
-- on, from projection page; since is the last cutoff that is not after the slot.
-- Both branches read one snapshot of the table; each carries its own positions (the
-- groups with an empty experiment, where the marks are), and the reader compares them.
SELECT
    young, since, experiment, iteration, phase, settling, variant, metric, dimension, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over, sum(sy) AS sy, sum(syy) AS syy,
    sum(sz) AS sz, sum(szz) AS szz, sum(syz) AS syz, max(newest) AS newest,
    groupArrayIf((shard, seq, config), experiment = '') AS positions
FROM
(
    SELECT
        0 AS young, toUInt32(0) AS since, shard, experiment, iteration, phase, settling, variant, metric, dimension, value,
        max(seq) AS seq, max(config) AS config, max(newest) AS newest,
        sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over, sum(sy) AS sy, sum(syy) AS syy,
        sum(sz) AS sz, sum(szz) AS szz, sum(syz) AS syz
    FROM ledger
    WHERE (experiment = '' OR experiment IN {experiments:Array(String)})
        AND (dimension = '' OR experiment IN {with_dimensions:Array(String)})
    GROUP BY shard, experiment, iteration, phase, settling, variant, metric, dimension, value
    UNION ALL
    SELECT
        1 AS young, roundDown(toUnixTimestamp(slot), {cuts:Array(UInt32)}) AS since,
        shard, experiment, iteration, phase, settling, variant, metric, dimension, value,
        max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy),
        sum(sz), sum(szz), sum(syz)
    FROM ledger
    WHERE (experiment = '' OR experiment IN {experiments:Array(String)})
        AND (dimension = '' OR experiment IN {with_dimensions:Array(String)})
        AND (experiment = '' OR toUnixTimestamp(slot) >= {least:UInt32})
    GROUP BY since, shard, experiment, iteration, phase, settling, variant, metric, dimension, value
)
GROUP BY young, since, experiment, iteration, phase, settling, variant, metric, dimension, value
