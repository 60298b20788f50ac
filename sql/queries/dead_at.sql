SELECT offset, toInt64(toUnixTimestamp64Milli(kafka_t)) AS kafka_ms, reason, size, position, detail
FROM dead_letters
WHERE shard = {shard:UInt16} AND topic = {topic:String} AND offset = {offset:Int64}
LIMIT 1
