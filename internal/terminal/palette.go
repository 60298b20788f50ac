package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Palette colours words, or leaves them as they are. The zero value does.
type Palette struct{ on bool }

// PaletteOf colours what goes to a terminal, unless NO_COLOR is set (no-color.org) or the
// terminal says that it is a dumb one. lookup reads the environment.
func PaletteOf(w io.Writer, lookup func(string) string) Palette {
	return Palette{on: Is(w) && lookup("NO_COLOR") == "" && lookup("TERM") != "dumb"}
}

// Colourful is the palette that always colours.
func Colourful() Palette { return Palette{on: true} }

// Is tells whether somebody watches.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Tone colours a text by whether it is good news: good, bad, warn; others are left as
// they are. Colour is never all that says so: the text does.
func (p Palette) Tone(tone, text string) string {
	code := map[string]string{"good": "32", "bad": "1;31", "warn": "33"}[tone]
	if !p.on || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Strong makes a text stand out.
func (p Palette) Strong(text string) string {
	if !p.on || text == "" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}
