SELECT max(seq) AS last FROM decisions
