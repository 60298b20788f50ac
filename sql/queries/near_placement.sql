SELECT number AS seq, attempt FROM placements WHERE number IN ({seq:UInt64}, {seq:UInt64} - 1)
