-- The lines of the decision log about erasure, oldest first.
SELECT
    seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config, code,
    evidence, toString(prev_hash) AS previous, toString(hash) AS sha256
FROM decisions
WHERE kind IN ('erasure_asked', 'erased')
ORDER BY seq
