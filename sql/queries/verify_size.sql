-- How many rows of events a shard has below its marks.
SELECT count() AS events
FROM events
WHERE shard = {shard:UInt16} AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
