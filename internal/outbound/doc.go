// Package outbound is what every call to somebody else's system has in common,
// a flag system's or a messenger's: secrets that cannot be shown by accident, no
// redirects, no addresses at which clouds give credentials away, errors that
// name no address, the pause that the other side asks for, and the signature of
// Standard Webhooks.
package outbound
