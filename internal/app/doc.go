// Package app owns the process: it opens connections, starts the embedded broker
// and engine when no address is named, wires the parts together and stops them
// in the opposite order. Only here, in config and in cmd is everything known.
package app
