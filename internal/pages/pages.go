package pages

import (
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/report"
)

// Config is what the pages are made of.
type Config struct {
	Reader     Reader
	Explainer  Explainer
	Planner    Planner
	Privacy    Privacy
	Governance Governance
	Past       Effects
	Hand       Hand
	Explorer   Explorer
	// OffersArm tells whether a switch can turn an arm off by itself; nil: none can.
	OffersArm func(killSwitch, arm string) bool
	Code      string // version of the program
	Log       *slog.Logger
	Now       func() time.Time
	Zone      *time.Location // in which times are written; nil: UTC
}

// Pages are the handlers.
type Pages struct {
	cfg       Config
	assets    assets
	templates map[string]*template.Template
	sections  *report.Sections
}

// New parses the templates.
func New(cfg Config) (*Pages, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Pages{cfg: cfg}
	var err error
	if p.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if p.templates, err = parse(p.assets, p.cfg.Zone); err != nil {
		return nil, fmt.Errorf("parse the pages' templates: %w", err)
	}
	if p.sections, err = report.NewSections(cfg.Zone); err != nil {
		return nil, err
	}
	return p, nil
}

// Routes are the handlers by their patterns, for the door to mount.
func (p *Pages) Routes() map[string]http.Handler {
	routes := map[string]http.Handler{"GET /assets/{file}": p.assets, "GET /favicon.ico": http.HandlerFunc(p.assets.icon)}
	add := func(pattern string, h func(http.ResponseWriter, *http.Request) error) { routes[pattern] = p.handle(h) }
	keep := newKeeper(p.cfg.Now)
	live := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		routes[pattern] = keep.around(p.handle(h))
	}
	live("GET /{$}", p.list)
	live("GET /experiments/{key}", p.experiment)
	live("GET /experiments/{key}/analyses", p.analyses)
	add("GET /experiments/{key}/privacy", p.privacy)
	add("GET /experiments/{key}/readiness", p.readiness)
	add("GET /experiments/{key}/writeup", p.writeup)
	add("GET /experiments/{key}/writeup.md", p.writeupMarkdown)
	add("GET /experiments/{key}/analyses/{analysis}", p.analysis)
	add("GET /experiments/{key}/analyze", p.askAnalysis)
	add("POST /experiments/{key}/analyze", p.analyze)
	add("GET /effects", p.effects)
	live("GET /decisions", p.decisions)
	live("GET /changes", p.changes)
	add("POST /changes/{key}", p.approve)
	live("GET /data", p.data)
	add("GET /planner", p.planner)
	add("GET /explain", p.askUnit)
	add("POST /explain", p.explain)
	for _, a := range []act{killing, drilling, resuming, snoozing, acknowledging, annotating, approvingRamp, resumingRamp, pausingRamp, revertingRamp} {
		add("GET /experiments/{key}/"+a.name, p.form(a))
		add("POST /experiments/{key}/"+a.name, p.do(a))
	}
	add("GET /stop", p.form(stopping))
	add("POST /stop", p.do(stopping))
	return routes
}

// May tells whether somebody may act on an experiment; an empty key is all of them.
func may(who access.Principal, a access.Action, key, owner string) bool {
	return !who.Anonymous() && who.May(a, access.Experiment{Key: key, Owner: owner})
}
