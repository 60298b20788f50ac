-- The units of requests of erasure with numbers in (after, upto], or only of those
-- that are not carried out.
SELECT d.seq AS seq, d.request AS request, d.retract AS retract, s.unit AS unit
FROM
(
    SELECT seq, JSONExtractString(evidence, 'evidence', 'request') AS request,
        JSONExtractString(evidence, 'evidence', 'policy') = 'retract' AS retract
    FROM decisions
    WHERE kind = 'erasure_asked' AND seq > {after:UInt64} AND seq <= {upto:UInt64}
        AND (NOT {open:Bool} OR seq NOT IN (SELECT JSONExtractUInt(evidence, 'decision') FROM decisions WHERE kind = 'erased'))
) AS d
INNER JOIN (SELECT DISTINCT request, unit FROM suppressed) AS s ON s.request = d.request
ORDER BY seq, unit
