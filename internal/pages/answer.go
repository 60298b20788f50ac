package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/catalog"
)

// policy lets a page load what this server has, and nothing else: neither inline
// scripts nor inline styles.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// fault is an error with the status that it is answered with.
type fault struct {
	Status int
	Text   string
}

func (f fault) Error() string { return f.Text }

// handle answers errors with a page.
func (p *Pages) handle(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		if err := h(w, r); err != nil {
			p.failed(w, r, err)
		}
	})
}

func (p *Pages) failed(w http.ResponseWriter, r *http.Request, err error) {
	f := fault{http.StatusInternalServerError, "This page could not be made. The log of the process says why."}
	var missing *catalog.Missing
	switch {
	case errors.As(err, &f):
	case errors.As(err, &missing):
		f = fault{http.StatusNotFound, "There is no " + missing.What + "."}
	case catalog.Unavailable(r.Context(), err) != "":
		f = fault{http.StatusServiceUnavailable, catalog.Unavailable(r.Context(), err) + ". Nothing can be shown, judged or turned off here until it does. Flags that assay assigns are answered as they were, and this page comes back by itself."}
		if r.Method == http.MethodGet && !part(r) {
			w.Header().Set("Refresh", "5")
		}
	case r.Context().Err() != nil:
		return // nobody waits for it
	default:
		p.cfg.Log.Error("a page could not be made", "page", r.Pattern, "error", err)
	}
	if err := p.show(w, r, f.Status, "fault", page{Title: http.StatusText(f.Status), Body: f}); err != nil {
		p.cfg.Log.Error("a page could not be made", "page", "fault", "error", err)
		http.Error(w, f.Text, f.Status)
	}
}

// page is what the frame around every page shows.
type page struct {
	Title string
	Nav   string // which part of the pages it is of
	Live  bool   // it is asked for again every few seconds
	Body  any

	Who  access.Principal
	Code string
	Path string
}

// part tells whether only the content is asked for, without the frame around it.
func part(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// show renders a page, or its content alone for htmx. Its tag is its hash: what has
// not changed is answered with 304.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name string, v page) error {
	v.Who, v.Code, v.Path = access.From(r.Context()), p.cfg.Code, r.URL.RequestURI()
	block := "frame"
	if part(r) {
		block = "content"
	}
	var b bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&b, block, v); err != nil {
		return fmt.Errorf("make the page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "HX-Request")
	h.Set("Cache-Control", "private, no-cache")
	if status == http.StatusOK && r.Method == http.MethodGet {
		sum := sha256.Sum256(b.Bytes())
		tag := `"` + hex.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever went away does not miss it
	return nil
}
