-- Stored exposures of one experiment, of a stretch of event time.
SELECT * FROM exposures
WHERE experiment = {experiment:String} AND t >= fromUnixTimestamp64Milli({from:Int64}) AND t < fromUnixTimestamp64Milli({to:Int64})
