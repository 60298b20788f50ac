-- The requests of erasure that name a unit, and whether they are carried out.
SELECT seq, at, seq IN (SELECT JSONExtractUInt(evidence, 'decision') FROM decisions WHERE kind = 'erased') AS done
FROM decisions
WHERE kind = 'erasure_asked'
    AND JSONExtractString(evidence, 'evidence', 'request') IN (SELECT request FROM suppressed WHERE unit = {unit:UInt128})
ORDER BY seq
