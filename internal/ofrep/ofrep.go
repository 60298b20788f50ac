package ofrep

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/assignment"
)

// Source knows how assay assigns.
type Source interface {
	// Now is how it does at this moment, nil when no configuration was ever read, and a
	// channel that is closed when that has changed.
	Now() (*assignment.Set, <-chan struct{})
}

// Config says what to answer from.
type Config struct {
	Source  Source
	Metrics prometheus.Registerer
	Log     *slog.Logger
	Clock   func() time.Time // default time.Now
	// PerSecond is how many evaluations are answered; 0: all. The others are turned away
	// before anything of the request is read, so whatever the unit and its arm are.
	PerSecond int
}

// Server answers evaluations.
type Server struct {
	cfg     Config
	streams streams
	asked   *prometheus.CounterVec
	budget  budget
}

// New makes a server. Its streams last until Run ends.
func New(cfg Config) (*Server, error) {
	if cfg.Source == nil || cfg.Metrics == nil || cfg.Log == nil {
		return nil, errors.New("ofrep: a source, metrics and a log are needed")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &Server{cfg: cfg, streams: streams{ended: make(chan struct{})}, budget: budget{perSecond: float64(cfg.PerSecond), clock: cfg.Clock}}
	if _, err := rand.Read(s.streams.key[:]); err != nil {
		return nil, fmt.Errorf("make the key of streams: %w", err)
	}
	s.asked = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_ofrep_answers_total", Help: "Answers to clients that ask for variants, by what they asked (flag, flags) and the status.",
	}, []string{"asked", "status"})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "assay_ofrep_streams", Help: "Clients that are told at once when to ask again.",
	}, func() float64 { return float64(s.streams.open.Load()) })
	for _, c := range []prometheus.Collector{s.asked, open} {
		if err := cfg.Metrics.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return s, nil
}

// Routes are the protocol's paths, and the one at which clients are told of changes.
func (s *Server) Routes() map[string]http.Handler {
	return map[string]http.Handler{
		"POST /ofrep/v1/evaluate/flags/{key}": s.within("flag", s.one),
		"POST /ofrep/v1/evaluate/flags":       s.within("flags", s.all),
		"GET " + streamPath:                   http.HandlerFunc(s.stream),
	}
}

// Run lets streams last until the context ends; a server that shuts down waits for
// them.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	close(s.streams.ended)
	return nil
}
