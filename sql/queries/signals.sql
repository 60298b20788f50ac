-- Readings of an iteration's signals in [from, to), by signal, source and time; an empty
-- signal is all of them, source 0 each. With `every` above 0 stretches of so many
-- milliseconds: the mean of the answered ones, the least and the greatest, how many there
-- are, how many gaps with the last one's reason, and the units at their end.
SELECT signal, source, min(at) AS first, max(at) AS last, avg(value), min(value), max(value), countIf(answered = 1) AS answers, countIf(answered = 0) AS gaps,
    argMaxIf(gap, at, answered = 0), argMax(phase, at), argMax(planned, at), argMaxIf(look, at, look != ''), maxIf(units, look != ''), maxIf(treated, look != '')
FROM
(
    SELECT signal, source, at, answered, value, gap, phase, planned, look, units, treated
    FROM signals
    WHERE experiment = {experiment:String} AND iteration = {iteration:UInt32}
        AND ({signal:String} = '' OR signal = {signal:String}) AND ({source:UInt64} = 0 OR source = {source:UInt64})
        AND at >= fromUnixTimestamp64Milli({from:Int64}) AND at < fromUnixTimestamp64Milli({to:Int64})
    ORDER BY signal, source, at, answered DESC
    LIMIT 1 BY signal, source, at
)
GROUP BY signal, source, if({every:Int64} = 0, toUnixTimestamp64Milli(at), intDiv(toUnixTimestamp64Milli(at), greatest({every:Int64}, 1)))
ORDER BY signal, source, first
