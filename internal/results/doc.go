// Package results turns the moments of one look into the document that everybody
// reads: effects with their intervals, sample-ratio checks, crossovers and the
// verdict of every guardrail. It is pure. A look is computed once and stored;
// pages, reports and history read it and never compute it again.
package results
