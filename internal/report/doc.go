// Package report renders stored looks for people: a table for the terminal and
// one self-contained HTML file a day. It computes no statistic; every number
// stands in the document that it is given.
package report
