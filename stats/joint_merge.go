package stats

// Merge joins the states of two disjoint sets of units, like Moments.Merge and by the same
// formula for each pair of sums (Chan, Golub, LeVeque 1979): with δ the difference of the
// means, Σ(x_i−x̄_i)(x_k−x̄_k) of both is that of each added up, and δ_i·δ_k·n·m/(n+m). A
// state without units changes nothing. States of other lengths, lists that do not fit
// together and numbers of units that no data have give NaN in every number.
func (j Joint) Merge(o Joint) Joint {
	switch {
	case o.N == 0:
		return j
	case j.N == 0:
		return o
	}
	n := j.N + o.N
	if j.N < 0 || o.N < 0 || n < 0 || !j.regular() || !o.regular() || len(j.Mean) != len(o.Mean) {
		return unknownJoint(max(j.N, o.N), j.NonZero, len(j.Mean))
	}
	out := flat(n, j.NonZero+o.NonZero, len(j.Mean), 0)
	share := float64(o.N) / float64(n)
	for i := range out.Mean {
		delta := o.Mean[i] - j.Mean[i]
		out.Mean[i] = j.Mean[i] + delta*share
		for k := range out.Mean {
			out.Product[i][k] = j.Product[i][k] + o.Product[i][k] + delta*(o.Mean[k]-j.Mean[k])*float64(j.N)*share
		}
	}
	return out
}
