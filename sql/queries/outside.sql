-- When experiments were last exposed outside all of their iterations, before a time.
SELECT toString(experiment) AS key, max(newest) AS last
FROM ledger
WHERE experiment IN {experiments:Array(String)} AND iteration = 0 AND metric = '$outside' AND newest < fromUnixTimestamp64Milli({until:Int64})
GROUP BY experiment
