-- The log of sent reports after a number, oldest first.
SELECT number, at, day, channel, state, actor, detail FROM deliveries WHERE number > {after:UInt64} ORDER BY number
