SELECT toUInt64(number) AS seq, attempt FROM decodings WHERE number IN ({seq:UInt64}, {seq:UInt64} - 1)
