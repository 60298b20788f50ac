SELECT seq, toString(hash) AS sha256 FROM decisions ORDER BY seq DESC LIMIT 1
