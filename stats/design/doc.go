// Package design plans experiments: group-sequential designs, and sample size,
// power and the smallest detectable effect, for one look and for looking always.
//
// A group-sequential test looks a few times, at information fractions
// t₁ < … < t_K ≤ 1 chosen without regard to the data, and spends its error rate
// as a Spending function says. Everything rests on one recursion (Armitage,
// McPherson & Rowe 1969) over B(t) = Z(t)·√t, which is Brownian motion with the
// drift θ, the expected z at t = 1: Exits. Boundaries, power, expected sample
// size, p-values and intervals at stopping (Design), and the power of the
// always-valid boundary under continuous looking (Monitor), are read off it.
//
// The package is pure and imports nothing of this module. Functions of numbers
// give NaN for arguments outside their domain (NaN, an error rate outside (0, 1),
// a variance or a size below zero) and +Inf where no finite size is enough;
// constructors of designs return an error. Nothing panics.
package design
