package pages

import "net/http"

// privacy is the page of what is stored of an experiment's units.
func (p *Pages) privacy(w http.ResponseWriter, r *http.Request) error {
	n, err := p.cfg.Privacy.PrivacyNotice(r.Context(), r.PathValue("key"))
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "privacy", page{Title: n.Experiment + ": privacy", Nav: "experiments", Body: n})
}
