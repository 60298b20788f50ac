// Package terminal is what commands print with: aligned tables, colours for those who
// see them, and how far long work is. It is pure: whether anybody watches, its caller
// knows.
package terminal
