// Package governance says what a change of the configuration is for the people who are
// exposed to it: fewer of them, as many, or more. It is pure; who approves what, and
// what is refused without, follows from here.
package governance
