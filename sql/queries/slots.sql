-- One iteration by slot, all units: from projection page.
SELECT
    phase, settling, variant, metric, slot,
    sum(n) AS units, sum(nonzero) AS units_nonzero, sum(over) AS units_over,
    sum(sy) AS total, sum(syy) AS squares, sum(sz) AS below, sum(szz) AS below_squares, sum(syz) AS products, max(newest) AS latest
FROM ledger
WHERE experiment = {experiment:String} AND iteration = {iteration:UInt32} AND dimension = ''
GROUP BY phase, settling, variant, metric, slot
ORDER BY slot, phase, settling, variant, metric
