// Package deploy has what an installation is made of (image, chart, compose files, units,
// rules, dashboards), and the tests that hold it against the program.
package deploy
