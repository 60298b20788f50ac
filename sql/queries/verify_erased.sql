-- What erasure took of what the marks of a shard counted, up to one of them.
SELECT topic, toInt64(sum(accepted)), toInt64(sum(duplicate)), toInt64(sum(misplaced))
FROM (SELECT * FROM erased FINAL WHERE shard = {shard:UInt16} AND topic != '')
WHERE (seq, attempt) IN (SELECT seq, attempt FROM ledger WHERE mark = 1 AND shard = {shard:UInt16} AND seq <= {seq:UInt64})
GROUP BY topic
ORDER BY topic
