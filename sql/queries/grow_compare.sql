-- Every cell of two ledgers, side by side: how many each iteration has, and of those
-- that differ the cell and both sums, in threes. The ledger of before, of another
-- database, is read up to a vector.
SELECT experiment, iteration, uniqExact(cell) AS cells,
    arrayFlatten(groupArrayIf(1000)([cell, old, new], old != new)) AS different
FROM
(
    SELECT experiment, iteration,
        toString((experiment, iteration, phase, settling, variant, metric, slot, dimension, value)) AS cell,
        toString((sumIf(n, NOT fresh), sumIf(nonzero, NOT fresh), sumIf(over, NOT fresh), sumIf(sy, NOT fresh), sumIf(syy, NOT fresh),
            sumIf(sz, NOT fresh), sumIf(szz, NOT fresh), sumIf(syz, NOT fresh))) AS old,
        toString((sumIf(n, fresh), sumIf(nonzero, fresh), sumIf(over, fresh), sumIf(sy, fresh), sumIf(syy, fresh),
            sumIf(sz, fresh), sumIf(szz, fresh), sumIf(syz, fresh))) AS new
    FROM
    (
        SELECT true AS fresh, experiment, iteration, phase, settling, variant, metric, slot, dimension, value, n, nonzero, over, sy, syy, sz, szz, syz
        FROM ledger WHERE mark = 0
        UNION ALL
        SELECT false AS fresh, experiment, iteration, phase, settling, variant, metric, slot, dimension, value, n, nonzero, over, sy, syy, sz, szz, syz
        FROM ledger AS before WHERE mark = 0 AND seq <= transform(shard, {shards:Array(UInt16)}, {seqs:Array(UInt64)}, toUInt64(0))
    )
    GROUP BY experiment, iteration, phase, settling, variant, metric, slot, dimension, value
    HAVING old != new OR new != '(0,0,0,0,0,0,0,0)'
)
GROUP BY experiment, iteration
ORDER BY experiment, iteration
