-- Inserts that carry a token, in whatever form, and have not ended.
SELECT count() AS running
FROM system.processes
WHERE Settings['insert_deduplication_token'] = {token:String}
    OR startsWith(Settings['insert_deduplication_token'], concat({token:String}, ':r'))
