-- The time of the newest record of a shard below its marks.
SELECT toInt64(toUnixTimestamp64Milli(max(kafka_t))) AS newest
FROM events
WHERE shard = {shard:UInt16} AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
