-- The newest look of each series of some experiments; from it follows how long the
-- next one lives.
SELECT experiment, iteration, kind, max(at) AS newest
FROM looks
WHERE experiment IN {experiments:Array(String)}
GROUP BY experiment, iteration, kind
