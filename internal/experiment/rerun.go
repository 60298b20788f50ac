package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// RerunWish is what is asked of the next run. Zero values are left to Rerun.
type RerunWish struct {
	Repeats uint32    // the iteration to repeat; 0: the newest one, or what it repeats or resumes itself
	Start   time.Time // 0: the first midnight (UTC) a day or more from now, when nothing runs any more
	Salt    string
}

// Rerun is an experiment file with one more iteration, which repeats another.
type Rerun struct {
	File       File
	Number     uint32
	Repeats    uint32
	Start      time.Time
	EnrolUntil time.Time
	End        time.Time
}

// Why there can be no rerun.
var (
	ErrNoFile           = errors.New("no file is of it")
	ErrUnknownIteration = errors.New("there is no such iteration")
	ErrNotBegun         = errors.New("it has not begun")
	ErrArms             = errors.New("its variants are others now")
)

// Rerun writes the next iteration into an experiment's file: as long as the one that it
// repeats was planned, with its phases or its ramp, and with a salt of its own. in is the
// experiment as it is in force. Nothing else of the file moves but dated looks, and the
// end that a killed iteration got. Whether it can be applied is for Parse and Apply to say.
func (set *Set) Rerun(in *Experiment, file File, wish RerunWish, now time.Time) (Rerun, error) {
	f := set.file(in.Key)
	if f == nil {
		return Rerun{}, fmt.Errorf("rerun %s: %w", in.Key, ErrNoFile)
	}
	run := in.Iteration(cmp.Or(wish.Repeats, in.original()))
	last := in.Latest()
	switch {
	case run == nil:
		return Rerun{}, fmt.Errorf("rerun %s: iteration %d: %w", in.Key, wish.Repeats, ErrUnknownIteration)
	case !last.begun(now):
		return Rerun{}, fmt.Errorf("rerun %s: iteration %d, planned for %s: %w", in.Key, last.Number, stamp(last.Start), ErrNotBegun)
	case variantList(in.AsOf(run).Variants) != variantList(f.Variants):
		return Rerun{}, fmt.Errorf("rerun %s: %w", in.Key, ErrArms)
	}
	enrolUntil, end := set.planned(f, run)
	out := Rerun{Number: last.Number + 1, Repeats: run.Number, Start: wish.Start.UTC()}
	if wish.Start.IsZero() {
		out.Start = midnight(now.Add(24 * time.Hour))
		if !last.over(now) {
			out.Start = midnight(latest(out.Start, last.End))
		}
	}
	later := out.Start.Sub(run.Start)
	out.EnrolUntil, out.End = enrolUntil.Add(later), end.Add(later)
	line := fmt.Sprintf("{number: %d, repeats: %d, start: %s, enrol_until: %s, end: %s", out.Number, run.Number, stamp(out.Start), stamp(out.EnrolUntil), stamp(out.End))
	if wish.Salt != "" {
		line += fmt.Sprintf(", salt: %q", wish.Salt)
	}
	w := writer{lines: slices.Clone(f.lines)}
	if err := w.iterations(f, in, line+f.stretches(run, later)+"}"); err != nil {
		return Rerun{}, fmt.Errorf("rerun %s: %w", in.Key, err)
	}
	for i := range f.Looks.At {
		w.replace(f.places[fmt.Sprintf("looks.at[%d]", i)], `"`+stamp(f.Looks.At[i].Add(later))+`"`) // in a list a time needs quotes
	}
	out.File = File{Name: file.Name, Data: []byte(w.text())}
	return out, nil
}

// original is the newest iteration, or the one that it repeats or carries on.
func (e *Experiment) original() uint32 {
	it := e.Latest()
	for it.Repeats > 0 || it.Resumes > 0 {
		before := e.Iteration(max(it.Repeats, it.Resumes))
		if before == nil {
			break
		}
		it = before
	}
	return it.Number
}

// FileOf is the name of the file that an experiment stands in, "" without one.
func (set *Set) FileOf(key string) string {
	if f := set.file(key); f != nil {
		return f.name
	}
	return ""
}

func (set *Set) file(key string) *experimentFile {
	i := slices.IndexFunc(set.experiments, func(f *experimentFile) bool { return f.Key == key })
	if i < 0 {
		return nil
	}
	return set.experiments[i]
}

// textOf is what a file says of an iteration, and where; -1 where it says nothing.
func (e *experimentFile) textOf(number uint32) (*iterationText, int) {
	s := *e.source
	for i, p := range (&experimentFile{source: &s, Experiment: e.Experiment, text: e.text}).plans(nil) {
		if p.Number == number && len(e.text.iterations) > 0 {
			return p.text, i
		}
	}
	return &iterationText{}, -1
}

// planned are the ends that an iteration was to have: a kill has moved those that are in
// force.
func (set *Set) planned(f *experimentFile, run *Iteration) (enrolUntil, end time.Time) {
	if run.Killed == nil {
		return run.EnrolUntil, run.End
	}
	text, _ := f.textOf(run.Number)
	return f.bounds(&plan{Iteration: *run, text: text})
}

// stretches writes the phases of a run, or its ramp, for one that begins so much later.
func (e *experimentFile) stretches(run *Iteration, later time.Duration) string {
	if run.Ramp != nil {
		return ", ramp: " + run.Ramp.yaml()
	}
	phases := declaredPhases(run.Phases)
	if text, _ := e.textOf(run.Number); run.Killed != nil && len(text.phases) > len(phases) {
		for _, p := range e.phases(&plan{Iteration: *run, text: text}, time.Time{})[len(phases):] {
			if !p.From.IsZero() {
				phases = append(phases, p)
			}
		}
	}
	before := Phase{Traffic: 1}
	for _, v := range e.Variants {
		before.Shares = append(before.Shares, v.Share)
	}
	var out []string
	for j, p := range phases {
		out = append(out, p.yaml(e.Variants, before, j > 0, later))
		before = p
	}
	if len(out) == 1 && out[0] == "{traffic: 100%}" {
		return ""
	}
	return ", phases: [" + strings.Join(out, ", ") + "]"
}

func (p Phase) yaml(variants []Variant, before Phase, timed bool, later time.Duration) string {
	out := "{"
	if timed {
		out += "from: " + stamp(p.From.Add(later)) + ", "
	}
	out += "traffic: " + percent(p.Traffic)
	if !slices.Equal(p.Shares, before.Shares) {
		out += ", shares: " + shareList(variants, p.Shares)
	}
	if timed && p.Settle != defaultSettle {
		out += ", settle: " + p.Settle.String()
	}
	if p.Kept() != before.Kept() {
		out += ", sample: " + percent(p.Kept())
	}
	return out + "}"
}

func (r *Ramp) yaml() string {
	steps := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		steps[i] = "{traffic: " + percent(s.Traffic)
		if s.For > 0 {
			steps[i] += ", for: " + s.For.String()
		}
		if s.Units > 0 {
			steps[i] += fmt.Sprintf(", units: %d", s.Units)
		}
		if i > 0 && s.Settle != defaultSettle {
			steps[i] += ", settle: " + s.Settle.String()
		}
		if s.Approval {
			steps[i] += ", approval: true"
		}
		steps[i] += "}"
	}
	return fmt.Sprintf("{steps: [%s], on_breach: %s}", strings.Join(steps, ", "), r.OnBreach)
}

func midnight(t time.Time) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	if day.Before(t) {
		day = day.Add(24 * time.Hour)
	}
	return day
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// writer edits a file by its lines, so that comments and layout stay.
type writer struct {
	lines []string
	more  []edit
}

// edit puts a text in place of another of one line.
type edit struct {
	at   position
	gone int // in characters
	text string
}

func (w *writer) insert(at position, text string) { w.more = append(w.more, edit{at, 0, text}) }

// replace puts another value in place of a plain or quoted one.
func (w *writer) replace(at position, text string) {
	rest := []rune(w.lines[at.line-1])[at.column-1:]
	end := slices.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(",]} \t#", r) })
	if end < 0 {
		end = len(rest)
	}
	w.more = append(w.more, edit{at, end, text})
}

// text is the file with all edits, the last place first.
func (w *writer) text() string {
	slices.SortStableFunc(w.more, func(a, b edit) int {
		return cmp.Or(cmp.Compare(b.at.line, a.at.line), cmp.Compare(b.at.column, a.at.column))
	})
	for _, e := range w.more {
		line := []rune(w.lines[e.at.line-1])
		w.lines[e.at.line-1] = string(line[:e.at.column-1]) + e.text + string(line[e.at.column-1+e.gone:])
	}
	return strings.Join(w.lines, "\n")
}

// errLayout says that a file is written in a way that Rerun cannot add to.
var errLayout = errors.New("its list of iterations is written in a way that nothing can be added to by itself")

// iterations adds an iteration behind the others.
func (w *writer) iterations(f *experimentFile, in *Experiment, next string) error {
	s := newSource(File{Name: f.name, Data: []byte(strings.Join(f.lines, "\n"))})
	root, _ := document(s, []byte(strings.Join(f.lines, "\n")))
	top, _ := mapping(s, "", root)
	i := slices.IndexFunc(top, func(p pair) bool { return p.key == "iterations" })
	if i < 0 {
		return w.first(in, next)
	}
	list, ok := top[i].value.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return errLayout
	}
	w.ends(f, in, list)
	if list.IsFlowStyle {
		if list.End == nil {
			return errLayout
		}
		w.insert(positionOf(list.End), ", "+next)
		return nil
	}
	// The list ends where the next field begins, and comments before that are that field's.
	end := len(w.lines)
	if i+1 < len(top) {
		end = top[i+1].at.line - 1
	}
	for end > 0 && (strings.TrimSpace(w.lines[end-1]) == "" || strings.HasPrefix(strings.TrimSpace(w.lines[end-1]), "#")) {
		end--
	}
	begin := w.lines[positionOf(list.Start).line-1]
	indent := begin[:len(begin)-len(strings.TrimLeft(begin, " "))]
	w.insert(position{end, len([]rune(w.lines[end-1])) + 1}, "\n"+indent+"- "+next)
	return nil
}

// first writes the list where the file had none: with what ran so far.
func (w *writer) first(in *Experiment, next string) error {
	for len(w.lines) > 0 && strings.TrimSpace(w.lines[len(w.lines)-1]) == "" {
		w.lines = w.lines[:len(w.lines)-1]
	}
	w.lines = append(w.lines, "iterations:")
	for i := range in.Iterations {
		if it := &in.Iterations[i]; it.Resumes == 0 {
			w.lines = append(w.lines, fmt.Sprintf("  - {number: %d, start: %s, enrol_until: %s, end: %s}", it.Number, stamp(it.Start), stamp(it.EnrolUntil), stamp(it.End)))
		}
	}
	w.lines = append(w.lines, "  - "+next, "")
	return nil
}

// ends writes the end that a killed iteration got, where the file has a later one, written
// or by default: without what was applied nobody could know that the next does not overlap.
func (w *writer) ends(f *experimentFile, in *Experiment, list *ast.SequenceNode) {
	for i := range in.Iterations {
		it := &in.Iterations[i]
		text, place := f.textOf(it.Number)
		if it.Killed == nil || place < 0 {
			continue
		}
		path := fmt.Sprintf("iterations[%d]", place)
		if !text.enrolUntil.IsZero() && text.enrolUntil.After(it.End) {
			w.replace(f.places[path+".enrol_until"], stamp(it.End))
		}
		switch {
		case !text.end.IsZero():
			w.replace(f.places[path+".end"], stamp(it.End))
		default:
			w.insertField(list.Values[place], "end: "+stamp(it.End))
		}
	}
}

// insertField writes a field before the first one of a mapping.
func (w *writer) insertField(n ast.Node, field string) {
	values, flow := []*ast.MappingValueNode(nil), false
	switch n := n.(type) {
	case *ast.MappingNode:
		values, flow = n.Values, n.IsFlowStyle
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	}
	if len(values) == 0 {
		return
	}
	at := nodePosition(values[0].Key)
	if flow {
		w.insert(at, field+", ")
		return
	}
	w.insert(at, field+"\n"+strings.Repeat(" ", at.column-1))
}
