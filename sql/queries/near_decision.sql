SELECT seq, attempt FROM decisions WHERE seq IN ({seq:UInt64}, {seq:UInt64} - 1)
