-- The moments as they stood when each shard had come to a part: moments.sql with a
-- bound, and therefore from the rows, because no projection knows the parts.
SELECT
    experiment, iteration, phase, settling, variant, metric, dimension, value,
    sumIf(n, young = 0) AS open_n,
    sumIf(nonzero, young = 0) AS open_nonzero,
    sumIf(over, young = 0) AS open_over,
    sumIf(sy, young = 0) AS open_sy,
    sumIf(syy, young = 0) AS open_syy,
    sumIf(sz, young = 0) AS open_sz,
    sumIf(szz, young = 0) AS open_szz,
    sumIf(syz, young = 0) AS open_syz,
    sumIf(n, young = 1) AS young_n,
    sumIf(nonzero, young = 1) AS young_nonzero,
    sumIf(over, young = 1) AS young_over,
    sumIf(sy, young = 1) AS young_sy,
    sumIf(syy, young = 1) AS young_syy,
    sumIf(sz, young = 1) AS young_sz,
    sumIf(szz, young = 1) AS young_szz,
    sumIf(syz, young = 1) AS young_syz,
    has({keys:Array(String)}, concat(experiment, '/', toString(iteration), '/', metric)) AS has_cutoff,
    max(newest) AS newest,
    groupArrayIf((shard, seq, config), experiment = '' AND young = 0) AS positions,
    groupArrayIf((shard, seq, config), experiment = '' AND young = 1) AS young_positions
FROM
(
    SELECT
        0 AS young, shard, experiment, iteration, phase, settling, variant, metric, dimension, value,
        max(seq) AS seq, max(config) AS config, max(newest) AS newest,
        sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over, sum(sy) AS sy, sum(syy) AS syy,
        sum(sz) AS sz, sum(szz) AS szz, sum(syz) AS syz
    FROM ledger
    WHERE (experiment = '' OR experiment IN {experiments:Array(String)})
        AND (dimension = '' OR experiment IN {with_dimensions:Array(String)})
        AND ledger.seq <= transform(shard, {shards:Array(UInt16)}, {seqs:Array(UInt64)}, toUInt64(0))
    GROUP BY shard, experiment, iteration, phase, settling, variant, metric, dimension, value
    UNION ALL
    SELECT
        1 AS young, shard, experiment, iteration, phase, settling, variant, metric, dimension, value,
        max(seq), max(config), max(newest), sum(n), sum(nonzero), sum(over), sum(sy), sum(syy),
        sum(sz), sum(szz), sum(syz)
    FROM ledger
    WHERE (experiment = '' OR experiment IN {experiments:Array(String)})
        AND (dimension = '' OR experiment IN {with_dimensions:Array(String)})
        AND ledger.seq <= transform(shard, {shards:Array(UInt16)}, {seqs:Array(UInt64)}, toUInt64(0))
        AND (experiment = '' OR toUnixTimestamp(slot) >= transform(
            concat(experiment, '/', toString(iteration), '/', metric),
            {keys:Array(String)}, {cutoffs:Array(UInt32)}, toUInt32(4294967295)))
    GROUP BY shard, experiment, iteration, phase, settling, variant, metric, dimension, value
)
GROUP BY experiment, iteration, phase, settling, variant, metric, dimension, value
