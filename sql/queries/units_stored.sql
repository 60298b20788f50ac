-- The unit of each of a shard's events, also of those above its marks. The reader
-- takes whole columns.
SELECT unit
FROM events
WHERE shard = {shard:UInt16}
