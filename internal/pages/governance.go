package pages

import (
	"net/http"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/report"
)

// What readiness is asked for on the page: that of the command line.
const (
	readyLift  = 0.05
	readyPower = 0.8
)

// readiness is the page of what must be so before an experiment begins.
func (p *Pages) readiness(w http.ResponseWriter, r *http.Request) error {
	ready, err := p.cfg.Governance.Readiness(r.Context(), r.PathValue("key"), readyLift, readyPower)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "readiness", page{Title: ready.Experiment + ": readiness", Nav: "list", Body: ready})
}

// written is the page of a write-up.
type written struct {
	*catalog.Writeup
	Lines []report.TogetherLine
	Worth []string // of the runs together
}

// writeup is the page of what is left to say of an experiment.
func (p *Pages) writeup(w http.ResponseWriter, r *http.Request) error {
	x, err := p.cfg.Governance.Writeup(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	body := written{Writeup: x, Lines: report.TogetherLines(x.Together), Worth: report.TogetherNotes(x.Together)}
	return p.show(w, r, http.StatusOK, "writeup", page{Title: x.Experiment + ": write-up", Nav: "list", Body: body})
}

// writeupMarkdown is the same as a document to be kept.
func (p *Pages) writeupMarkdown(w http.ResponseWriter, r *http.Request) error {
	x, err := p.cfg.Governance.Writeup(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "private, no-cache")
	return report.WriteupMarkdown(w, x)
}
