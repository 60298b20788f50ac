// Package realalertmanager runs an Alertmanager for tests: on 127.0.0.1, on a free
// port, alone, with a webhook as its only receiver. That people are told is proved
// on it and not on an imitation: what it takes an alert for, when it takes it for
// over, and what it then sends on.
//
// The program comes from `make alertmanager`.
package realalertmanager
