// Package assignment decides which variant a unit gets. It is pure and keeps no
// state: an answer is a function of the configuration version, the time, what was
// turned off, the unit and its attributes. docs/assignment.md has the formula, so
// that any other program can draw the same.
package assignment
