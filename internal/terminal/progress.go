package terminal

import (
	"fmt"
	"io"
	"time"
)

const (
	redrawn = 100 * time.Millisecond // on a terminal
	printed = 10 * time.Second       // elsewhere
	sure    = time.Second            // before that nothing is foretold
)

// Progress tells how far long work is: on one line of a terminal, elsewhere by a line now
// and then. It is used by one goroutine at a time.
type Progress struct {
	w       io.Writer
	inPlace bool
	now     func() time.Time

	began, last time.Time
	drawn       bool
}

// NewProgress begins to measure. inPlace is for a terminal.
func NewProgress(w io.Writer, inPlace bool, now func() time.Time) *Progress {
	return &Progress{w: w, inPlace: inPlace, now: now, began: now()}
}

// Step says what is being done and how much of all is done, in whatever unit. A total of
// 0 is not known.
func (p *Progress) Step(what string, done, total float64) {
	now := p.now()
	every := printed
	if p.inPlace {
		every = redrawn
	}
	// Work that is over soon needs no line in a log.
	if since := p.last; now.Sub(since) < every || since.IsZero() && !p.inPlace && now.Sub(p.began) < every {
		return
	}
	p.last = now
	text := what + p.howFar(now, done, total)
	if p.inPlace {
		_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		p.drawn = true
		return
	}
	_, _ = fmt.Fprintln(p.w, text)
}

// howFar is the share that is done, and how long the rest takes if it goes on so.
func (p *Progress) howFar(now time.Time, done, total float64) string {
	if !(total > 0) {
		return ""
	}
	share := min(1, max(0, done/total))
	text := fmt.Sprintf(" · %.0f %%", 100*share)
	if spent := now.Sub(p.began); share > 0 && share < 1 && spent >= sure {
		rest := time.Duration(float64(spent) * (1 - share) / share)
		text += " · about " + short(rest) + " left"
	}
	return text
}

// short writes a duration for people: 8s, 3m20s, 2h05m.
func short(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, time.Second).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// End clears the line.
func (p *Progress) End() {
	if p.drawn {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
