-- slots.sql as it stood when each shard had come to a part: from the rows, because no
-- projection knows the parts.
SELECT
    phase, settling, variant, metric, slot,
    sum(n) AS units, sum(nonzero) AS units_nonzero, sum(over) AS units_over,
    sum(sy) AS total, sum(syy) AS squares, sum(sz) AS below, sum(szz) AS below_squares, sum(syz) AS products, max(newest) AS latest
FROM ledger
WHERE experiment = {experiment:String} AND iteration = {iteration:UInt32} AND dimension = ''
    AND seq <= transform(shard, {shards:Array(UInt16)}, {seqs:Array(UInt64)}, toUInt64(0))
GROUP BY phase, settling, variant, metric, slot
ORDER BY slot, phase, settling, variant, metric
