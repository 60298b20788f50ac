package app

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/api"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// TestExportsAreListed: who takes rows of units out is written down before the first of
// them is sent, an erasure names it, and sums are nobody's.
func TestExportsAreListed(t *testing.T) {
	w := newLookWorld(t)
	engine := embeddedtest.ClickHouse(t)
	w.endpoints.HTTP, w.endpoints.Reader = engine.HTTPAddr(), Account(engine.Reader())
	e := w.exporter()
	ada := access.With(t.Context(), access.Principal{Name: "ada", Role: access.Analyst, Login: "token"})
	for _, view := range api.Views() {
		if err := e.Export(ada, &bytes.Buffer{}, api.Export{View: view, Experiment: "cta", From: w.now, Format: "JSONEachRow"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Export(t.Context(), &bytes.Buffer{}, api.Export{View: "outcomes", Experiment: "cta", Format: "Parquet"}); err != nil {
		t.Fatal(err)
	}
	var proof ErasureProof
	if err := w.outside(t.Context(), &proof, time.Now()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range proof.Exports {
		if time.Since(x.At).Abs() > time.Hour {
			t.Errorf("%+v", x)
		}
		got = append(got, x.Actor+" "+x.Experiment+" "+x.View)
	}
	if want := []string{"ada cta exposures", "ada cta outcomes", "nobody cta outcomes"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	e.journal = func(context.Context, guardrails.Entry, any) error { return errors.New("no route to host") }
	var b bytes.Buffer
	if err := e.Export(ada, &b, api.Export{View: "exposures", Experiment: "cta", Format: "Parquet"}); err == nil || b.Len() > 0 {
		t.Errorf("rows are sent that nobody wrote down: %d bytes, %v", b.Len(), err)
	}
}
