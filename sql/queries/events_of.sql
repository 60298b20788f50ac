-- Those of events_below that belong to some units, which the sorting key finds.
SELECT
    topic, offset, toInt64(toUnixTimestamp64Milli(t)) AS t_ms, toInt64(toUnixTimestamp64Milli(kafka_t)) AS kafka_ms,
    toUInt8(type) AS kind, unit_kind,
    toUInt64(bitShiftRight(unit, 64)) AS unit_high, toUInt64(bitAnd(unit, toUInt128(18446744073709551615))) AS unit_low,
    id, experiment, variant, event,
    toInt64(bitShiftRight(reinterpretAsInt128(value), 64)) AS value_high, reinterpretAsUInt64(value) AS value_low,
    mapKeys(attrs) AS attr_names, mapValues(attrs) AS attr_values, misplaced,
    origin_partition, origin_offset
FROM events
WHERE shard = {shard:UInt16} AND unit IN {units:Array(UInt128)}
    AND offset < transform(topic, {topics:Array(String)}, {next:Array(Int64)}, toInt64(0))
ORDER BY shard, unit, t, topic, offset
