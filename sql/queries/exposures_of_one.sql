-- How many exposures of an experiment there are: at least as many as units.
SELECT toUInt64(count()) AS exposures FROM events
WHERE type = 'exposure' AND experiment = {experiment:String}
