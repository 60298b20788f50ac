-- Exact sums of one experiment. Cells of fewer than {smallest} units are left out, and
-- with one of them all values of its dimension: what is left, taken from the whole, would
-- be the cell.
SELECT * EXCEPT (least) FROM
(
    SELECT *, min(n + over) OVER (PARTITION BY iteration, phase, settling, variant, metric, dimension) AS least
    FROM moments
    WHERE experiment = {experiment:String}
)
WHERE least >= {smallest:Int64}
