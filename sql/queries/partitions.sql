-- The number of partitions under which the ledger was written, 0 while not known.
SELECT max(partitions)
FROM ledger
WHERE mark = 1
