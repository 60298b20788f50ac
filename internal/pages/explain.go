package pages

import (
	"net/http"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
)

// explained is the page that says where a unit's events went. The unit is sent in the
// body of a form and shown back, and stands in no address and no log.
type explained struct {
	Experiments      []string
	Experiment, Unit string
	Asked            bool
	May              bool
	Events           []catalog.Explained
	Erased           []catalog.Explained // requests that name the unit
	Fault            string
}

// Counted is how many of the events took part.
func (e explained) Counted() int {
	n := 0
	for _, x := range e.Events {
		if len(x.Metrics) > 0 {
			n++
		}
	}
	return n
}

// mostUnit is how long a unit's name may be.
const mostUnit = 4096

func (p *Pages) askUnit(w http.ResponseWriter, r *http.Request) error {
	body, err := p.explainBody(r)
	if err != nil {
		return err
	}
	body.Experiment = r.URL.Query().Get("experiment")
	return p.show(w, r, http.StatusOK, "explain", page{Title: "Explain", Nav: "explain", Body: body})
}

func (p *Pages) explain(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 2*mostUnit)
	if err := r.ParseForm(); err != nil {
		return fault{http.StatusBadRequest, "The form could not be read."}
	}
	body, err := p.explainBody(r)
	if err != nil {
		return err
	}
	body.Experiment, body.Unit = r.PostForm.Get("experiment"), strings.TrimSpace(r.PostForm.Get("unit"))
	status, who := http.StatusOK, access.From(r.Context())
	switch {
	case body.Unit == "":
		status, body.Fault = http.StatusUnprocessableEntity, "Say which unit: its id as the producer sends it."
	case !slices.Contains(body.Experiments, body.Experiment):
		status, body.Fault = http.StatusUnprocessableEntity, "Choose an experiment."
	case !p.mayRead(r, body.Experiment):
		p.cfg.Log.Warn("request refused", "why", "role", "status", http.StatusForbidden, "method", r.Method, "path", r.URL.Path,
			"action", string(access.Explain), "experiment", body.Experiment, "actor", who.Name, "role", who.Role.String())
		status, body.Fault = http.StatusForbidden, "The units of this experiment are for its owner and its readers."
	default:
		if body.Events, err = p.cfg.Explainer.ExplainUnit(r.Context(), body.Experiment, body.Unit); err != nil {
			return err
		}
		body.Asked = true
		body.Events = slices.DeleteFunc(body.Events, func(x catalog.Explained) bool {
			if x.Type == "erasure" {
				body.Erased = append(body.Erased, x)
			}
			return x.Type == "erasure"
		})
	}
	return p.show(w, r, status, "explain", page{Title: "Explain", Nav: "explain", Body: body})
}

// mayRead tells whether who asks may see single units of an experiment: its key stands in
// no path here, so the door could not ask.
func (p *Pages) mayRead(r *http.Request, key string) bool {
	d, err := p.cfg.Reader.Detail(r.Context(), key, 0)
	if err != nil || d.Experiment == nil {
		return false
	}
	return access.From(r.Context()).May(access.Explain, access.Experiment{Key: key, Owner: d.Experiment.Owner, Readers: d.Experiment.Readers})
}

func (p *Pages) explainBody(r *http.Request) (explained, error) {
	rows, err := p.cfg.Reader.Rows(r.Context())
	if err != nil {
		return explained{}, err
	}
	who := access.From(r.Context())
	body := explained{May: who.May(access.Explain, access.Experiment{})}
	for i := range rows {
		body.Experiments = append(body.Experiments, rows[i].Key)
	}
	return body, nil
}
