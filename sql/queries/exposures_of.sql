-- How many exposures of some experiments a shard has: at least as many as units.
SELECT toUInt64(count()) AS exposures FROM events
WHERE shard = {shard:UInt16} AND type = 'exposure' AND experiment IN {experiments:Array(String)}
