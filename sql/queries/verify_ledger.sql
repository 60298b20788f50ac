-- What the ledger's rows sum up to, cell by cell, up to a mark: from the rows
-- themselves, without their projections.
SELECT
    experiment, iteration, phase, settling, variant, metric, toInt64(toUnixTimestamp(slot)) * 1000 AS slot, dimension, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over, sum(sy) AS sy, sum(syy) AS syy,
    sum(sz) AS sz, sum(szz) AS szz, sum(syz) AS syz
FROM ledger
WHERE shard = {shard:UInt16} AND seq <= {seq:UInt64} AND mark = 0
    AND ({experiment:String} = '' OR experiment = {experiment:String})
GROUP BY experiment, iteration, phase, settling, variant, metric, slot, dimension, value
HAVING n != 0 OR nonzero != 0 OR over != 0 OR sy != 0 OR syy != 0 OR sz != 0 OR szz != 0 OR syz != 0
SETTINGS optimize_use_projections = 0
