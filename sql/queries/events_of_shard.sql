-- How many events of a shard are stored, also of those above its marks.
SELECT count() AS events FROM events WHERE shard = {shard:UInt16}
