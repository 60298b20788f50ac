package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/assay-dev/assay/internal/terminal"
)

// isTerminal tells whether somebody watches.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paletteOf colours what goes to a terminal, unless NO_COLOR is set (no-color.org) or the
// terminal says that it is a dumb one.
func paletteOf(w io.Writer, lookup func(string) string) terminal.Palette {
	return terminal.Palette{On: isTerminal(w) && lookup("NO_COLOR") == "" && lookup("TERM") != "dumb"}
}

// progress tells how far long work is, on standard error.
func (e *environment) progress() *terminal.Progress {
	return terminal.NewProgress(e.err, isTerminal(e.err), time.Now)
}
