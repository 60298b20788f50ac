package pages

import (
	"net/http"
	"strconv"

	"github.com/assay-dev/assay/internal/catalog"
)

// state is the page of the data's health.
type state struct {
	catalog.Health
	Trust trust
}

func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	h, err := p.cfg.Reader.Health(r.Context())
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "data", page{Title: "Data health", Nav: "data", Live: true, Body: state{h, trustIn(&h)}})
}

// number reads a decimal number; 0 when it is none.
func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
