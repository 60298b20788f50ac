-- The lines of the decision log of some kinds, oldest first.
SELECT
    seq, at, experiment, iteration, guardrail, arm, kind, verdict, reason, actor, look, config, code,
    evidence, toString(prev_hash) AS previous, toString(hash) AS sha256
FROM decisions
WHERE kind IN {kinds:Array(String)}
ORDER BY seq
