-- The newest look of one series; from it follows how long the next one lives.
SELECT max(at) AS newest
FROM looks
WHERE experiment = {experiment:String} AND kind = {kind:String} AND iteration = {iteration:UInt32}
