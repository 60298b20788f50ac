-- The events of a shard below its marks, of a range of units, in no order: the reader
-- sorts them.
SELECT
    topic, offset, toInt64(toUnixTimestamp64Milli(t)) AS t_ms, toInt64(toUnixTimestamp64Milli(kafka_t)) AS kafka_ms,
    toUInt8(type) AS kind, unit_kind, unit, id, experiment, variant, event,
    reinterpretAsInt128(value) AS value_int, attrs, misplaced, origin_partition, origin_offset
FROM events
WHERE shard = {shard:UInt16} AND unit BETWEEN {first:UInt128} AND {last:UInt128}
    AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
