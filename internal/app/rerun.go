package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/results"
)

// Rerun is the next run of an experiment as it stands in its file.
type Rerun struct {
	Experiment string    `json:"experiment"`
	Iteration  uint32    `json:"iteration"`
	Repeats    uint32    `json:"repeats"`
	Start      time.Time `json:"start"`
	EnrolUntil time.Time `json:"enrol_until"`
	End        time.Time `json:"end"`
	File       string    `json:"file"`
	Notes      []string  `json:"notes,omitempty"`

	Text []byte `json:"-"` // of the file
}

// Rerun adds the next run to an experiment's file, in memory: the caller writes it. It
// has been read and applied in rehearsal, with the other files, to what is in force.
func (s *Stack) Rerun(ctx context.Context, files []experiment.File, set *experiment.Set, key string, wish experiment.RerunWish, now time.Time) (Rerun, error) {
	current, err := s.DB.Version(ctx)
	if err != nil {
		return Rerun{}, fmt.Errorf("read the configuration in force: %w", err)
	}
	e := current.Find(key)
	if e == nil {
		return Rerun{}, WithHint(fmt.Errorf("no experiment %q is in force", key), "only what was applied and has run can run again")
	}
	var of int
	for i := range files {
		if files[i].Name == set.FileOf(key) {
			of = i
		}
	}
	next, err := set.Rerun(e, files[of], wish, now)
	if err != nil {
		return Rerun{}, hintRerun(err)
	}
	out := Rerun{Experiment: key, Iteration: next.Number, Repeats: next.Repeats, Start: next.Start, EnrolUntil: next.EnrolUntil, End: next.End, File: next.File.Name, Text: next.File.Data}
	edited := append([]experiment.File(nil), files...)
	edited[of] = next.File
	again, problems := experiment.Parse(edited)
	if err := problems.Err(); err != nil {
		return out, fmt.Errorf("with iteration %d: %w", next.Number, err)
	}
	if _, err := wouldBe(&current, again, now); err != nil {
		return out, fmt.Errorf("with iteration %d: %w", next.Number, err)
	}
	if !e.Assignment.Ours() {
		out.Notes = append(out.Notes, "units are assigned elsewhere: give the flag another salt or seed before it starts, else the same units come again")
	}
	if e.Iteration(next.Repeats).Killed != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("iteration %d was turned off by its result: both together lean that way, and the flag must be turned on again", next.Repeats))
	}
	return out, nil
}

// Write puts the file in the place of the old one.
func (r *Rerun) Write() error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(r.File); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.WriteFile(r.File, r.Text, mode); err != nil {
		return fmt.Errorf("write the file: %w", err)
	}
	return nil
}

func hintRerun(err error) error {
	for _, h := range []struct {
		err  error
		hint string
	}{
		{experiment.ErrNotBegun, "change that iteration in its file"},
		{experiment.ErrUnknownIteration, "leave --iteration out for the newest"},
		{experiment.ErrNoFile, "bring its file back first"},
		{experiment.ErrArms, "put the variants back as they were; with others it is no rerun but another iteration"},
	} {
		if errors.Is(err, h.err) {
			return WithHint(err, h.hint)
		}
	}
	return err
}

// AddTogether adds to a document what its iteration and those before it say as one, each
// by its newest full look. An experiment with one iteration costs nothing.
func (s *Stack) AddTogether(ctx context.Context, e *experiment.Experiment, d *results.Document) error {
	if d.AsOf {
		return nil // what the others say by now was not known then
	}
	var documents []*results.Document
	for i := range e.Iterations {
		it := &e.Iterations[i]
		if it.Number >= d.Iteration {
			break
		}
		before, err := s.storedLook(ctx, e.Key, it, clickhouse.FullLook)
		if err != nil {
			return err
		}
		if before != nil {
			documents = append(documents, before)
		}
	}
	d.Together = results.RunsTogether(e, append(documents, d))
	return nil
}
