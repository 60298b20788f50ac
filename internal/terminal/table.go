package terminal

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// gap is what stands between two columns.
const gap = "  "

// Table aligns tab-separated rows below a header: columns of numbers to the right, all
// others to the left. Colours take no room. Without rows it is empty.
func Table(header string, rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	lines := [][]string{strings.Split(header, "\t")}
	for _, r := range rows {
		lines = append(lines, strings.Split(r, "\t"))
	}
	widths, right := columns(lines)
	var b strings.Builder
	for _, cells := range lines {
		var line strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", max(0, widths[i]-width(cell)))
			switch {
			case right[i]:
				line.WriteString(pad + cell)
			default:
				line.WriteString(cell + pad)
			}
			line.WriteString(gap)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// columns measures them. The last cell of a row that is shorter than the header may be
// as long as it likes: it is a sentence about the row.
func columns(lines [][]string) (widths []int, right []bool) {
	for n, cells := range lines {
		for i, cell := range cells {
			if i == len(widths) {
				widths, right = append(widths, 0), append(right, true)
			}
			if i == len(cells)-1 && len(cells) < len(lines[0]) {
				continue
			}
			widths[i] = max(widths[i], width(cell))
			if n > 0 {
				right[i] = right[i] && numeric.MatchString(colours.ReplaceAllString(cell, ""))
			}
		}
	}
	return widths, right
}

// numeric is one number, signed or not, as this program writes them; or none.
var numeric = regexp.MustCompile(`^([+−-]?[0-9][0-9.\x{202f}]*( (%|pp))?|< [0-9.]+|–|)$`)

// colours are the signs that Palette writes.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func width(cell string) int { return utf8.RuneCountInString(colours.ReplaceAllString(cell, "")) }
