-- A shard as projection page must have it: from the rows.
SELECT
    experiment, iteration, phase, settling, variant, metric, toInt64(toUnixTimestamp(ledger.slot)) * 1000 AS slot, dimension, value,
    sum(n) AS n, sum(nonzero) AS nonzero, sum(over) AS over, sum(sy) AS sy, sum(syy) AS syy, sum(sz) AS sz, sum(szz) AS szz, sum(syz) AS syz,
    max(seq) AS seq, max(config) AS config, max(newest) AS newest
FROM ledger
WHERE shard = {shard:UInt16}
GROUP BY shard, experiment, iteration, dimension, metric, ledger.slot, variant, phase, settling, value
SETTINGS optimize_use_projections = 0
