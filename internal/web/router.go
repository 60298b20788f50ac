package web

import (
	"net/http"
	"slices"
	"strings"
)

// Router takes routes by net/http's patterns. Each is asked for at the door by its
// pattern: one that access.Rules does not have is refused to everybody.
type Router struct {
	mux      *http.ServeMux
	door     Door
	around   func(pattern string, h http.Handler) http.Handler
	patterns []string
}

// Handle registers a route.
func (r *Router) Handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.mux.Handle(pattern, r.around(pattern, r.door.Route(pattern, h)))
}

// HandleFunc registers a route.
func (r *Router) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r.Handle(pattern, http.HandlerFunc(h))
}

// ServeHTTP answers with the route of the request.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// Patterns are all that were registered, in order.
func (r *Router) Patterns() []string { return slices.Sorted(slices.Values(r.patterns)) }

// secured sets the headers that every answer carries: pages load nothing from
// elsewhere and stand in nobody's frame. A report is one file with its style inside,
// and loads nothing at all.
func secured(next http.Handler) http.Handler {
	const (
		pages   = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
		reports = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pages)
		if strings.HasPrefix(r.URL.Path, "/reports/") {
			h.Set("Content-Security-Policy", reports)
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
