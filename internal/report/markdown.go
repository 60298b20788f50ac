package report

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the day as one document.
func Markdown(w io.Writer, d Day) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# Experiments on %s\n\n%s\n\n**%s**\n", d.Date.Long(), md(d.span()), md(d.Tally()))
	for _, a := range d.alarms() {
		p("\n> **%s**\n", md(a))
	}
	all := d.chapters()
	if len(all) > 0 {
		p("\n| experiment | what to do | main metric, valid at every look |\n|---|---|---|\n")
	}
	for _, c := range all {
		p("| %s | **%s.** %s | %s |\n", md(c.Key), md(c.Call), md(c.Text), md(c.Main))
	}
	for _, c := range all {
		p("\n## %s: %s\n\n%s\n", md(c.Key), md(c.Call), md(c.Text))
		if c.Waiting != "" {
			p("\nHow long yet: %s\n", md(c.Waiting))
		}
		for _, l := range c.Lists {
			p("\n### %s\n\n%s", md(l.Title), bullets(l.Items))
		}
	}
	if over := d.ended(); len(over) > 0 {
		p("\n## Ended before the day\n\n%s", bullets(over))
	}
	p("\n## The data of the day\n\n%s", bullets(d.data()))
	p("\n## How to read this\n\n")
	for _, g := range glossary() {
		p("- **%s**: %s\n", md(g.Word), md(g.Text))
	}
	p("\n%s\n", md(d.end()))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func bullets(items []string) string {
	var b strings.Builder
	for _, i := range items {
		b.WriteString("- " + md(i) + "\n")
	}
	return b.String()
}

// md escapes what Markdown, or the HTML that it may hold, would read.
func md(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "[", `\[`, "]", `\]`, "\n", " ").Replace(text)
}
