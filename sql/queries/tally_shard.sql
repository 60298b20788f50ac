-- The rows of the parts of one shard after a part, and the mark of that part, which
-- tells whether it is still the same. A branch of its own for each shard: the index
-- of seq would else begin at the part of the shard that has the fewest. N is the
-- number of the branch.
SELECT
    shard, seq, mark, attempt, config, experiment, iteration, phase, settling, variant, metric, slot,
    n, nonzero, over, sy, syy, sz, szz, syz, newest
FROM ledger
WHERE shard = {shard_N:UInt16} AND seq >= {seq_N:UInt64} AND seq <= {upto_N:UInt64}
    AND (mark = 1 OR seq > {seq_N:UInt64} AND dimension = '')
