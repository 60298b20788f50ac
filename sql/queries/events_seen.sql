-- Those of events_below that belong to units with an exposure of some experiments.
SELECT
    topic, offset, toInt64(toUnixTimestamp64Milli(t)) AS t_ms, toInt64(toUnixTimestamp64Milli(kafka_t)) AS kafka_ms,
    toUInt8(type) AS kind, unit_kind, unit, id, experiment, variant, event,
    reinterpretAsInt128(value) AS value_int, attrs, misplaced, origin_partition, origin_offset
FROM events
WHERE shard = {shard:UInt16} AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
    AND unit IN (SELECT unit FROM events WHERE shard = {shard:UInt16} AND unit != 0 AND type = 'exposure' AND experiment IN {experiments:Array(String)})
ORDER BY shard, unit, t, topic, offset
