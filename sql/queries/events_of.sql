-- Those of events_below that belong to some units, which the sorting key finds. Other
-- columns are read only where one of them is: by itself the server would look at topics
-- and offsets first, since these are the smaller columns.
SELECT
    topic, offset, toInt64(toUnixTimestamp64Milli(t)) AS t_ms, toInt64(toUnixTimestamp64Milli(kafka_t)) AS kafka_ms,
    toUInt8(type) AS kind, unit_kind, unit, id, experiment, variant, event,
    reinterpretAsInt128(value) AS value_int, attrs, misplaced, origin_partition, origin_offset
FROM events
PREWHERE shard = {shard:UInt16} AND unit IN {units:Array(UInt128)}
WHERE offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
ORDER BY shard, unit, t, topic, offset
