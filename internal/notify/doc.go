// Package notify tells people, over as many channels as the operator has
// configured: Alertmanager, Slack, PagerDuty, e-mail and a signed webhook.
//
//	Notify → one queue for each channel → one goroutine for each channel → Send
//
// Notify returns at once, whatever hangs: who judges and acts must never wait
// for a messenger. A channel that is down or slow holds up nothing but itself.
// What a channel refuses for now is tried again until a deadline, pages before
// the rest, in order within one matter. What could not be said is counted and
// logged.
//
// A channel is one file: what it sends, and what its answers mean.
package notify
