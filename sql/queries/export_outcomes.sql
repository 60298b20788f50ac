-- Stored outcomes of all units that were exposed to one experiment, of a stretch of
-- event time.
SELECT * FROM outcomes
WHERE unit IN (SELECT unit FROM exposures WHERE experiment = {experiment:String} AND unit != 0)
    AND t >= fromUnixTimestamp64Milli({from:Int64}) AND t < fromUnixTimestamp64Milli({to:Int64})
