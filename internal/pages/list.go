package pages

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/plots"
	"github.com/assay-dev/assay/internal/results"
)

// rowsOnPage is how many experiments a page of the list shows.
const rowsOnPage = 100

// view is a choice of experiments that people ask for by one click.
type view struct {
	Name   string // in the address
	Label  string
	Number int
	Chosen bool
	Link   string
}

// listed is the start page.
type listed struct {
	Health catalog.Health
	Trust  trust
	Views  []view
	Owners []string
	Query  listQuery
	Rows   []listRow
	Of     int    // experiments that the query finds
	All    int    // experiments that there are
	More   string // address of the next page
}

// listRow is one experiment with its main effect drawn.
type listRow struct {
	catalog.Row
	Plot template.HTML
}

// listQuery is what the address says.
type listQuery struct{ View, Text, Owner, Sort, After string }

func readListQuery(v url.Values) listQuery {
	return listQuery{View: v.Get("view"), Text: v.Get("q"), Owner: v.Get("owner"), Sort: v.Get("sort"), After: v.Get("after")}
}

// link is the address of the list with another view or page.
func (q listQuery) link() string {
	v := url.Values{}
	for name, value := range map[string]string{"view": q.View, "q": q.Text, "owner": q.Owner, "sort": q.Sort, "after": q.After} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return "/"
	}
	return "/?" + v.Encode()
}

// views are the choices in their order.
var views = []struct {
	name, label string
	takes       func(*catalog.Row) bool
}{
	{"", "All", func(*catalog.Row) bool { return true }},
	{"attention", "Need somebody", needsSomebody},
	{"running", "Running", func(r *catalog.Row) bool { return r.State == catalog.Running || r.State == catalog.Maturing }},
	{"ship", "Can be shipped", func(r *catalog.Row) bool { return r.Call == catalog.Ship }},
	{"stopped", "Stopped", func(r *catalog.Row) bool { return r.State == catalog.Killed }},
	{"ended", "Ended", func(r *catalog.Row) bool { return r.State == catalog.Ended }},
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	rows, err := p.cfg.Reader.Rows(r.Context())
	if err != nil {
		return err
	}
	health, err := p.cfg.Reader.Health(r.Context())
	if err != nil {
		return err
	}
	body := list(rows, readListQuery(r.URL.Query()))
	body.Health, body.Trust = health, trustIn(&health)
	return p.show(w, r, http.StatusOK, "list", page{Title: "Experiments", Nav: "list", Live: true, Body: body})
}

// list chooses and sorts the rows.
func list(rows []catalog.Row, q listQuery) listed {
	out := listed{Query: q, All: len(rows)}
	for i := range rows {
		if o := rows[i].Owner; o != "" && !slices.Contains(out.Owners, o) {
			out.Owners = append(out.Owners, o)
		}
	}
	slices.Sort(out.Owners)
	query := catalog.Query{Text: q.Text, Owner: q.Owner, Sort: catalog.Order(q.Sort)}
	if q.Sort == "" {
		query.Sort = catalog.ByHealth
	}
	found := catalog.Find(rows, query).Rows
	takes := views[0].takes
	for _, v := range views {
		other := q
		other.View, other.After = v.name, ""
		shown := view{Name: v.name, Label: v.label, Chosen: v.name == q.View, Link: other.link()}
		for i := range found {
			if v.takes(&found[i]) {
				shown.Number++
			}
		}
		if shown.Chosen {
			takes = v.takes
		}
		out.Views = append(out.Views, shown)
	}
	chosen := slices.DeleteFunc(found, func(r catalog.Row) bool { return !takes(&r) })
	query.After, query.Limit = q.After, rowsOnPage
	of := catalog.Find(chosen, query)
	out.Of = of.Of
	if of.Next != "" {
		next := q
		next.After = of.Next
		out.More = next.link()
	}
	for _, row := range of.Rows {
		out.Rows = append(out.Rows, listRow{row, mainPlot(row.Main)})
	}
	return out
}

// mainPlot draws an effect on a scale of its own with zero in the middle.
func mainPlot(e *catalog.Effect) template.HTML {
	if e == nil {
		return ""
	}
	effect := results.Effect{Estimate: e.Relative.Estimate, Sequential: results.Interval{Low: e.Relative.Low, High: e.Relative.High}}
	if !e.Relative.Estimate.Known() {
		effect = results.Effect{Estimate: e.Absolute.Estimate, Sequential: results.Interval{Low: e.Absolute.Low, High: e.Absolute.High}}
	}
	effect.Fixed = results.Interval{Low: effect.Estimate, High: effect.Estimate}
	i := effect.Sequential
	return plots.Interval(effect, plots.ScaleOf(listPlotWidth, i, results.Interval{Low: -i.High, High: -i.Low}), string(e.Tone))
}

const listPlotWidth = 140
