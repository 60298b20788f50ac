-- How far the stored rows of a shard were compared with its marks, and up to where
-- they can no longer be.
SELECT maxIf(seq, NOT closed) AS compared, maxIf(seq, closed) AS retired
FROM (SELECT seq, closed FROM proven FINAL WHERE shard = {shard:UInt16})
