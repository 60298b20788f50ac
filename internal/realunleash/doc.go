// Package realunleash runs an Unleash server with its PostgreSQL for tests: on
// 127.0.0.1, on free ports, in a folder of its own. A kill is proved on it and
// not on an imitation: what the server does with a call, what its audit log says
// afterwards and what its own SDK then shows to a product.
//
// The server comes from `make unleash`; Node.js runs it. Flags live in project
// "default" and are switched in environment "development".
package realunleash
