// Package terminal is what commands print with: aligned tables, colours where they are
// seen as such, and how far long work is.
package terminal
