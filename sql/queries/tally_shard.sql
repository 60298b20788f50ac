-- The rows of the parts of some shards after a part of each, and the mark of that part,
-- which tells whether it is still the same. The condition is repeated for each shard, N
-- being its number. Shards that are far apart have branches of their own: the index of
-- seq begins at the least.
SELECT
    shard, seq, mark, attempt, config, experiment, iteration, phase, settling, variant, metric, value, slot,
    n, nonzero, over, sy, syy, sz, szz, syz, newest
FROM ledger
WHERE (mark = 1 OR dimension = '') AND (
    (shard = {shard_N:UInt16} AND seq >= {seq_N:UInt64} AND seq <= {upto_N:UInt64} AND (mark = 1 OR seq > {seq_N:UInt64}))
)
