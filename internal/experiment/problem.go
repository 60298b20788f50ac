package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with a file, said in such a way that its
// owner can mend it without asking anybody.
type Problem struct {
	Rule   Rule   // which rule is broken
	File   string // "" when no file is to blame, as when one is missing
	Line   int    // from 1
	Column int    // from 1, in characters
	Source string // the line itself
	Text   string
	Hint   string // what to do, "" when the text says it all
}

// Error gives file:line:column and the text, then the line with a caret, then
// the hint.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	}
	b.WriteString(p.Text)
	if p.Source != "" {
		gutter := fmt.Sprintf("%4d | ", p.Line)
		fmt.Fprintf(&b, "\n%s%s\n%s%s^", gutter, p.Source, strings.Repeat(" ", len(gutter)), p.indent())
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "\n     hint: %s", p.Hint)
	}
	return b.String()
}

// indent is the white space before the caret; it keeps the line's tabs, so that
// the caret stands right whatever a tab is worth.
func (p Problem) indent() string {
	var b strings.Builder
	for _, r := range p.Source {
		if utf8.RuneCountInString(b.String()) >= p.Column-1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Problems is a list of problems in the order of the files.
type Problems []Problem

// Error prints all of them.
func (ps Problems) Error() string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.Error()
	}
	return strings.Join(texts, "\n")
}

// Err returns the list as an error, nil when it is empty.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// sorted orders by file and place; problems without a file come last.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if none := cmp.Compare(btoi(a.File == ""), btoi(b.File == "")); none != 0 {
			return none
		}
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
