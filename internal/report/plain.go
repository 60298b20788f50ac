package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// lineWidth is that of a plain text, in characters.
const lineWidth = 76

// Plain writes the day as plain text, as a mail has it.
func Plain(w io.Writer, d Day) error {
	var b strings.Builder
	heading(&b, "Experiments on "+d.Date.Long(), "=")
	paragraph(&b, d.Tally())
	for _, a := range d.alarms() {
		paragraph(&b, a)
	}
	paragraph(&b, d.span())
	for _, c := range d.chapters() {
		heading(&b, c.Key+": "+c.Call, "-")
		paragraph(&b, c.Text)
		if c.Waiting != "" {
			paragraph(&b, "How long yet: "+c.Waiting)
		}
		for _, l := range c.Lists {
			itemize(&b, l)
		}
	}
	if over := d.ended(); len(over) > 0 {
		itemize(&b, list{"Ended before the day", over})
	}
	itemize(&b, list{"The data of the day", d.data()})
	var terms []string
	for _, g := range glossary() {
		terms = append(terms, g.Word+": "+g.Text)
	}
	itemize(&b, list{"How to read this", terms})
	if d.URL != "" {
		paragraph(&b, "The whole report: "+d.Link())
	}
	paragraph(&b, d.end())
	if _, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n")); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func heading(b *strings.Builder, text, line string) {
	fmt.Fprintf(b, "%s\n%s\n\n", text, strings.Repeat(line, utf8.RuneCountInString(text)))
}

func paragraph(b *strings.Builder, text string) { b.WriteString(wrap(text, "", "") + "\n") }

func itemize(b *strings.Builder, l list) {
	b.WriteString(l.Title + "\n")
	for _, i := range l.Items {
		b.WriteString(wrap(i, "  - ", "    "))
	}
	b.WriteString("\n")
}

// wrap breaks a text into lines: the first is indented by first, all others by rest. A
// word that is longer than a line stands alone, and a number stays with its unit.
func wrap(text, first, rest string) string {
	var b strings.Builder
	line := first
	empty := true
	for _, word := range wordsOf(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > lineWidth {
			b.WriteString(line + "\n")
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	return b.String() + line + "\n"
}

// wordsOf are what may stand on different lines.
func wordsOf(text string) []string {
	var all []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' }) {
		if n := len(all); n > 0 && (strings.HasPrefix(w, "%") || strings.HasPrefix(w, "pp")) {
			all[n-1] += " " + w
			continue
		}
		all = append(all, w)
	}
	return all
}
