package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/results"
)

// runsShown is how many of the last orders stand above the list.
const runsShown = 5

// explored is the page of an experiment's exploratory analyses.
type explored struct {
	Key   string
	Runs  []catalog.AnalysisRun  // newest first
	Heads []catalog.AnalysisHead // newest first
	May   bool
	Needs string // who may, for those who may not
}

// Going tells whether anything is being computed.
func (e explored) Going() bool {
	return slices.ContainsFunc(e.Runs, func(r catalog.AnalysisRun) bool { return r.State == catalog.AnalysisRunning })
}

func (p *Pages) analyses(w http.ResponseWriter, r *http.Request) error {
	d, err := p.cfg.Reader.Detail(r.Context(), r.PathValue("key"), 0)
	if err != nil {
		return err
	}
	body := explored{Key: d.Row.Key, May: mayExplore(r, &d), Needs: access.AdHoc.Needs()}
	if body.Heads, err = p.cfg.Explorer.Analyses(r.Context(), d.Row.Key, 0); err != nil {
		return err
	}
	slices.Reverse(body.Heads)
	body.Runs = p.cfg.Explorer.Runs(r.Context(), d.Row.Key)
	body.Runs = body.Runs[:min(runsShown, len(body.Runs))]
	return p.show(w, r, http.StatusOK, "analyses", page{Title: "Analyses of " + d.Row.Key, Nav: "list", Live: true, Body: body})
}

func mayExplore(r *http.Request, d *catalog.Detail) bool {
	who, e := access.From(r.Context()), access.Experiment{Key: d.Row.Key, Owner: d.Row.Owner}
	if d.Experiment != nil {
		e.Readers = d.Experiment.Readers
	}
	return !who.Anonymous() && who.May(access.AdHoc, e)
}

// analysed is the page of one exploratory analysis.
type analysed struct {
	*results.Analysis
	Groups []metricGroup
	Splits []split
	Doubts []string
	Slow   []report.Section
}

func (p *Pages) analysis(w http.ResponseWriter, r *http.Request) error {
	a, err := p.cfg.Explorer.Analysis(r.Context(), r.PathValue("key"), r.PathValue("analysis"))
	if err != nil {
		return err
	}
	body := analysed{Analysis: a, Groups: exploratoryGroups(a), Splits: splits(a.Document)}
	for _, d := range a.Warnings {
		if d.Code != results.ExploratoryDoubt { // the page says it above all
			body.Doubts = append(body.Doubts, d.Text)
		}
	}
	sections, err := p.sections.Of(report.Entry{Experiment: &experiment.Experiment{Key: a.Experiment}, Document: a.Document})
	if err != nil {
		return err
	}
	for _, s := range sections {
		if s.Name == "slow" {
			body.Slow = append(body.Slow, s)
		}
	}
	title := a.Name
	if title == "" {
		title = "Analysis"
	}
	return p.show(w, r, http.StatusOK, "analysis", page{Title: title + " of " + a.Experiment, Nav: "list", Body: body})
}

// exploratoryGroups are the comparisons of an analysis. Better and worse is said only
// of what stands for all analyses that there were.
func exploratoryGroups(a *results.Analysis) []metricGroup {
	groups := groupsOf(a.Document)
	for i := range groups {
		for j := range groups[i].Rows {
			r := &groups[i].Rows[j]
			if p := r.Effect.P; p.Known() && p.Float() < a.Level || r.Overflow > 0 || !r.Effect.Absolute.Estimate.Known() {
				continue
			}
			r.Effect.Tone, r.Conclusion = catalog.Neutral, "not shown"
		}
	}
	draw(groups)
	return groups
}

// wished is the form that orders an analysis.
type wished struct {
	Key     string
	Row     catalog.Row
	Planned []string // metrics of the iteration
	Names   []string // attributes that its files name: ideas for a cohort
	May     bool
	Needs   string

	Name, Window, Cap, Where, From, Until, File string // what was filled in
	Only                                        map[string]bool
	Fault, Hint                                 string
}

func (p *Pages) askAnalysis(w http.ResponseWriter, r *http.Request) error {
	f, err := p.wishFor(r)
	if err != nil {
		return err
	}
	return p.showWish(w, r, http.StatusOK, f)
}

func (p *Pages) showWish(w http.ResponseWriter, r *http.Request, status int, f wished) error {
	return p.show(w, r, status, "analyze", page{Title: "Analyse " + f.Key, Nav: "list", Body: f})
}

func (p *Pages) wishFor(r *http.Request) (wished, error) {
	d, err := p.cfg.Reader.Detail(r.Context(), r.PathValue("key"), 0)
	if err != nil {
		return wished{}, err
	}
	f := wished{Key: d.Row.Key, Row: d.Row, May: mayExplore(r, &d), Needs: access.AdHoc.Needs(), Only: map[string]bool{}}
	for _, of := range d.Experiment.Dimensions {
		f.Names = append(f.Names, of.Attribute)
	}
	if d.Iteration != nil {
		for i := range d.Iteration.Metrics {
			f.Planned = append(f.Planned, d.Iteration.Metrics[i].Name)
		}
	}
	return f, nil
}

// analyze begins an analysis and goes to where its progress is. What is wrong is said
// in the form, with what was filled in.
func (p *Pages) analyze(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, mostWish)
	if err := r.ParseForm(); err != nil {
		return fault{http.StatusBadRequest, "The form could not be read."}
	}
	f, err := p.wishFor(r)
	if err != nil {
		return err
	}
	f.read(r.PostForm)
	wish, err := f.wish()
	if err == nil {
		_, err = p.cfg.Explorer.Explore(r.Context(), access.From(r.Context()), catalog.Exploration{Experiment: f.Key, Iteration: f.Row.Iteration, Name: f.Name, Wish: wish})
	}
	if err != nil {
		f.Fault = sentence(err.Error())
		var knows interface{ Hint() string }
		if errors.As(err, &knows) {
			f.Hint = sentence(knows.Hint())
		}
		return p.showWish(w, r, statusOf(err), f)
	}
	http.Redirect(w, r, "/experiments/"+url.PathEscape(f.Key)+"/analyses", http.StatusSeeOther)
	return nil
}

// mostWish is how large the form may be, in bytes: it may hold a metric file.
const mostWish = 64 << 10

// read takes what was filled in.
func (f *wished) read(v url.Values) {
	text := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	f.Name, f.Window, f.Cap, f.Where, f.From, f.Until = text("name"), text("window"), text("cap"), text("where"), text("from"), text("until")
	f.File = strings.ReplaceAll(v.Get("file"), "\r\n", "\n")
	for _, name := range v["only"] {
		f.Only[name] = true
	}
}

// wish is what was filled in, as the engine reads it.
func (f *wished) wish() (results.AnalysisWish, error) {
	w := results.AnalysisWish{Window: f.Window, Cap: f.Cap, From: f.From, Until: f.Until}
	for line := range strings.Lines(f.Where) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case strings.TrimSpace(line) == "":
			continue
		case !ok || name == "":
			return w, invalid("write an attribute of the cohort in a line, such as country=DE")
		case w.Where == nil:
			w.Where = map[string]string{}
		}
		w.Where[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	for _, name := range f.Planned {
		if f.Only[name] {
			w.Only = append(w.Only, name)
		}
	}
	if strings.TrimSpace(f.File) != "" {
		w.Files = []experiment.File{{Name: "metric", Data: []byte(f.File)}}
	}
	return w, nil
}
