-- Up to which request of erasure the places of a shard are counted as erased.
SELECT max(request) AS request FROM erased WHERE shard = {shard:UInt16} AND topic = ''
