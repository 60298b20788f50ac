-- What erased units left in the sums of a shard, up to a mark; of which part and
-- which request it is, and the configurations before that part and after it.
SELECT
    experiment, iteration, phase, settling, variant, metric, toInt64(toUnixTimestamp(slot)) * 1000 AS slot, dimension, value,
    n, nonzero, over, sy, syy, sz, szz, syz,
    request, marks.config AS config, marks.previous AS previous
FROM (SELECT * FROM adjustments FINAL WHERE shard = {shard:UInt16}) AS a
INNER JOIN
(
    SELECT seq, config, lagInFrame(config, 1, toUInt32(0)) OVER (ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM ledger
    WHERE mark = 1 AND shard = {shard:UInt16} AND seq <= {seq:UInt64}
) AS marks ON marks.seq = a.seq
WHERE {experiment:String} = '' OR experiment = {experiment:String}
