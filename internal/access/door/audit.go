package door

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access"
)

// refusal is why a request goes no further.
type refusal struct {
	why        string // a word of a closed list, for the counter
	status     int
	detail     string // for who sent it
	action     access.Action
	experiment string
	wait       time.Duration // until another try may help
	err        error         // for the log; it holds no secret
}

// audit counts and tells what was refused.
type audit struct {
	log     *slog.Logger
	refused *prometheus.CounterVec
	logins  *prometheus.CounterVec
}

func newAudit(log *slog.Logger, metrics prometheus.Registerer) audit {
	a := audit{log: log,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_door_refused_total", Help: "Requests that the door refused, by why.",
		}, []string{"why"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_door_logins_total", Help: "Logins of browsers, by how they ended.",
		}, []string{"outcome"}),
	}
	metrics.MustRegister(a.refused, a.logins)
	return a
}

// refuse answers, counts and tells. Of somebody known every refusal is told; lines
// about strangers are bounded, since anybody can make them.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, no refusal) {
	d.audit.refused.WithLabelValues(no.why).Inc()
	p := access.From(r.Context())
	_, few := d.lines.take("")
	if few || !p.Anonymous() {
		d.audit.log.Warn("request refused", "why", no.why, "status", no.status, "method", r.Method, "path", r.URL.Path,
			"action", string(no.action), "experiment", no.experiment, "actor", p.Name, "role", p.Role.String(),
			"from", remoteAddr(r), "error", errText(no.err))
	}
	if no.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(no.wait/time.Second)+1))
	}
	if no.status == http.StatusUnauthorized {
		if toLogin(w, r) {
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="assay"`)
	}
	problem(w, no.status, no.detail)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// problem answers as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // who is gone needs no answer
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, detail})
}

// failed is the refusal of credentials. Tries are bounded by address; the bound never
// keeps a good token out, which is looked at before.
func (d *Door) failed(r *http.Request, err error) refusal {
	if errors.Is(err, errNoOrigin) {
		return refusal{why: "origin", status: http.StatusForbidden, detail: err.Error()}
	}
	if wait, ok := d.failures.take(remoteAddr(r)); !ok {
		return refusal{why: "rate", status: http.StatusTooManyRequests, detail: "too many credentials that are not believed", wait: wait, err: err}
	}
	return refusal{why: "credentials", status: http.StatusUnauthorized, detail: "the credentials are not believed", err: err}
}
