-- Is a part in the ledger, and the one before it, and whose are they?
SELECT seq, attempt
FROM ledger
WHERE mark = 1 AND shard = {shard:UInt16} AND seq IN ({seq:UInt64}, {seq:UInt64} - 1)
