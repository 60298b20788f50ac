// Package daily knows days: where a day of the calendar begins and ends in a time
// zone, when its report is due, and, by the log of what was sent, what is to be sent
// now. It is pure: times are arguments, and the log is a value.
package daily
