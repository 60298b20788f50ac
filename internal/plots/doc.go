// Package plots draws effects with their intervals as SVG, the same way in the report
// and on the pages. Colours are the page's: the marks carry classes. It computes no
// statistic.
package plots
