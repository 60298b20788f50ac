package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/assay-dev/assay/internal/catalog"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/privacy"
	"github.com/assay-dev/assay/internal/results"
)

// Catalog is what is shown of experiments. What is not there is a *catalog.Missing.
type Catalog interface {
	Rows(ctx context.Context) ([]catalog.Row, error)
	Detail(ctx context.Context, key string, iteration uint32) (catalog.Detail, error)
	Health(ctx context.Context) (catalog.Health, error)
}

// History is what stored looks said over time.
type History interface {
	History(ctx context.Context, s catalog.Stretch) ([]catalog.Series, error)
	Splits(ctx context.Context, s catalog.Stretch) ([]catalog.SplitPoint, error)
}

// Journal is the decision log.
type Journal interface {
	Decisions(ctx context.Context, q catalog.DecisionQuery) ([]catalog.Decision, error)
}

// Configurations are the applied versions of the experiment files.
type Configurations interface {
	Configurations(ctx context.Context) ([]catalog.Configuration, error)
	Configuration(ctx context.Context, number uint32) (*experiment.Version, error)
}

// Explainer says what became of each event of a unit.
type Explainer interface {
	ExplainUnit(ctx context.Context, key, unit string) ([]catalog.Explained, error)
}

// Privacy says what is stored of an experiment's units. What is not there is a
// *catalog.Missing.
type Privacy interface {
	PrivacyNotice(ctx context.Context, key string) (privacy.Notice, error)
}

// Planner says what can be found; planning.ErrLate where that takes too long.
type Planner interface {
	Plan(ctx context.Context, comparisons []planning.Comparison, q planning.Question) ([]planning.Answer, error)
}

// Exporter has the database write what people load into other tools.
type Exporter interface {
	// Export streams the rows of a view that belong to an experiment.
	Export(ctx context.Context, w io.Writer, e Export) error
	// Convert streams rows of JSON in another format.
	Convert(ctx context.Context, w io.Writer, format, structure string, rows io.Reader) error
}

// Parts are what the API reads. Exporter may be nil: then there is no Parquet and no Arrow.
type Parts struct {
	Catalog        Catalog
	History        History
	Journal        Journal
	Configurations Configurations
	Explainer      Explainer
	Planner        Planner
	Privacy        Privacy
	Signals        Signals
	Governance     Governance
	Past           Past
	Exporter       Exporter
	Changes        Changes
	Hand           Hand     // nil: nothing can be done by hand
	Tokens         Tokens   // nil: nobody is asked for one
	Explorer       Explorer // nil: there are no exploratory analyses

	Code string // version of the program
	Now  func() time.Time
	Log  *slog.Logger
}

// API answers requests.
type API struct {
	parts  Parts
	huma   huma.API
	routes routes
	spec   []byte
	cache  encodings
}

// Prefix is where all routes begin.
const Prefix = "/api/v1"

// New describes all routes.
func New(p Parts) (*API, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	a := &API{parts: p, routes: routes{}, cache: newEncodings()}
	a.huma = humago.New(a.routes, a.config())
	for _, add := range []func(){a.experiments, a.results, a.history, a.decisions, a.power, a.explain, a.configurations, a.health, a.export, a.orders, a.tokens, a.analyses, a.changes, a.privacy, a.signals, a.governance, a.effects} {
		add()
	}
	spec, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	spec = append(spec, '\n')
	a.spec = spec
	a.routes["GET "+Prefix+"/openapi.json"] = http.HandlerFunc(a.openAPI)
	return a, nil
}

// Routes are the handlers by the patterns of net/http.
func (a *API) Routes() map[string]http.Handler { return a.routes }

// Spec is the OpenAPI document.
func (a *API) Spec() []byte { return a.spec }

func (a *API) openAPI(w http.ResponseWriter, r *http.Request) {
	tag := etag("", string(a.spec))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(a.spec); err != nil {
		a.parts.Log.Debug("answer not written", "error", err)
	}
}

// routes collects what huma registers, so that each pattern is known by itself.
type routes map[string]http.Handler

// HandleFunc implements humago.Mux.
func (r routes) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r[pattern] = http.HandlerFunc(h)
}

// ServeHTTP implements humago.Mux; requests come by the routes themselves.
func (r routes) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "no such route", http.StatusNotFound)
}

func (a *API) config() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[results.Number](), reflect.TypeFor[maybeNumber]())
	registry.RegisterTypeAlias(reflect.TypeFor[json.RawMessage](), reflect.TypeFor[anyJSON]())
	registry.RegisterTypeAlias(reflect.TypeFor[experiment.Duration](), reflect.TypeFor[string]())
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "assay", Version: "v1",
				Description: "Experiments, their results, decisions and data, as they were computed and stored. docs/api.md has worked requests.",
			},
			Components: &huma.Components{Schemas: registry},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		// A parameter that is misspelt would be ignored, and its answer believed.
		RejectUnknownQueryParameters: true,
	}
}

// schemaName is the type's name, with its package's before it unless that is this one:
// an experiment has phases, and so have results.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	path := t.PkgPath()
	pkg := path[strings.LastIndexByte(path, '/')+1:]
	if pkg == "" || pkg == "api" || strings.Contains(name, "[") {
		return name
	}
	return string(unicode.ToUpper(rune(pkg[0]))) + pkg[1:] + name
}

// maybeNumber is a number that may be unknown or not bounded.
type maybeNumber struct{}

// Schema implements huma.SchemaProvider.
func (maybeNumber) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Format: "double", Nullable: true, Description: "null: not known, or not bounded"}
}

// anyJSON is a value of no fixed shape.
type anyJSON struct{}

// Schema implements huma.SchemaProvider.
func (anyJSON) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }
