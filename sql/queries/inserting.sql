-- Inserts into one shard's ledger that have not ended.
SELECT count() AS running
FROM system.processes
WHERE startsWith(Settings['insert_deduplication_token'], {prefix:String})
