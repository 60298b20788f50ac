// Package door stands around everything that is served by HTTP. In this order it
// asks of each request: is it addressed to us (the Host, against DNS rebinding),
// does it come from our own pages (the origin, on everything that may change
// something), who sends it (a session, a token, a JWT), and may they do that
// (internal/access). What is refused is counted and told, without the secret.
package door
