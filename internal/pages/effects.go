package pages

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/catalog"
)

// effectsShown is the page of what experiments have shown.
type effectsShown struct {
	Query effectsQuery
	Rows  []effectRow
	Of    int
	More  string
}

// effectRow is one effect with its interval drawn.
type effectRow struct {
	catalog.Found
	Plot template.HTML
}

// effectsQuery is what the address says.
type effectsQuery struct{ Text, Metric, Shown, Size, State, Sort, Goals, After string }

func readEffectsQuery(v url.Values) effectsQuery {
	return effectsQuery{Text: v.Get("q"), Metric: v.Get("metric"), Shown: v.Get("shown"), Size: v.Get("size"), State: v.Get("state"), Sort: v.Get("sort"), Goals: v.Get("goals"), After: v.Get("after")}
}

// link is the address of another page of the same question.
func (q effectsQuery) link() string {
	v := url.Values{}
	for name, value := range map[string]string{"q": q.Text, "metric": q.Metric, "shown": q.Shown, "size": q.Size, "state": q.State, "sort": q.Sort, "goals": q.Goals, "after": q.After} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/effects?" + v.Encode()
}

// asked is the question; a size that is no number asks for nothing.
func (q effectsQuery) asked() catalog.FoundQuery {
	out := catalog.FoundQuery{Text: q.Text, Metric: q.Metric, Goals: q.Goals != "", Sort: catalog.FoundOrder(q.Sort), After: q.After, Limit: rowsOnPage}
	if q.Shown != "" {
		out.Shown = []catalog.Shown{catalog.Shown(q.Shown)}
	}
	if q.State != "" {
		out.State = []catalog.State{catalog.State(q.State)}
	}
	if percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(q.Size, "%")), 64); err == nil && percent > 0 {
		out.Least = percent / 100
	}
	return out
}

func (p *Pages) effects(w http.ResponseWriter, r *http.Request) error {
	q := readEffectsQuery(r.URL.Query())
	found, err := p.cfg.Past.FindPast(r.Context(), q.asked())
	if err != nil {
		return err
	}
	body := effectsShown{Query: q, Of: found.Of}
	for _, f := range found.Effects {
		body.Rows = append(body.Rows, effectRow{f, mainPlot(&f.Effect)})
	}
	if found.Next != "" {
		next := q
		next.After = found.Next
		body.More = next.link()
	}
	return p.show(w, r, http.StatusOK, "effects", page{Title: "What was found", Nav: "effects", Body: body})
}
