package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-dev/assay/internal/access/door"
	"github.com/assay-dev/assay/internal/web"
)

// WebOptions say what stands behind the door, and who has started the process.
type WebOptions struct {
	Registry *prometheus.Registry
	User     string       // who may act with the token that is shown at the start
	Audit    *slog.Logger // what is refused, and who logs in; nil: the log
}

// Door is the HTTP door with the link to act by.
type Door struct {
	*web.Server
	parts []Part // what is behind it: what people are shown, and what clients are told
	Link  string // with a token in it: for the person who started the process alone; "" where a login is needed anyway
	File  string // that has the link, mode 0600
}

// Web opens the door with everything for people behind it.
func (s *Stack) Web(ctx context.Context, opt WebOptions) (*Door, error) {
	if opt.Audit == nil {
		opt.Audit = s.Log
	}
	d, secret, err := s.door(s.Config.Access, opt.Registry, opt.User, opt.Audit)
	if err != nil {
		return nil, err
	}
	cfg, err := s.webConfig(opt.Registry, d)
	if err != nil {
		return nil, err
	}
	reach, err := s.reach(ctx)
	if err != nil {
		return nil, err
	}
	cfg.Around = reach.Around
	c, hand, explorer := s.NewCatalog(), s.LastingActs(opt.Audit), s.Explorer(opt.Audit)
	for _, of := range []func() (map[string]http.Handler, error){
		func() (map[string]http.Handler, error) { return s.pagesOf(c, hand, explorer) },
		func() (map[string]http.Handler, error) { return s.apiOf(c, hand, explorer, opt.Audit) },
	} {
		routes, err := of()
		if err != nil {
			return nil, err
		}
		maps.Copy(cfg.Pages, routes)
	}
	cfg.Pages["GET /reports/"] = http.StripPrefix("/reports/", http.FileServer(http.Dir(s.Config.Reports)))
	assigns, err := s.assigns(ctx, opt.Registry)
	if err != nil {
		return nil, err
	}
	maps.Copy(cfg.Pages, assigns.routes)
	s.checked("assignment", assigns.ready, nil)
	server, err := web.Listen(ctx, cfg)
	if errors.Is(err, web.ErrOpen) {
		err = WithHint(err, "set access.login in assay.yaml and make a token with `assay token create` (docs/access.md), or listen on 127.0.0.1")
	}
	if err != nil {
		return nil, err
	}
	out := &Door{Server: server, parts: append(assigns.parts, c.Run, reach.Run)}
	if secret != "" {
		out.Link = scheme(cfg) + server.Addr() + "/login#token=" + secret
		if out.File, err = s.keepLink(server.Addr(), out.Link); err != nil {
			return nil, errors.Join(err, server.Close())
		}
	}
	return out, nil
}

// Run serves, and reads on what is shown.
func (d *Door) Run(ctx context.Context) error {
	return Together(ctx, append([]Part{d.Server.Run}, d.parts...)...)
}

func scheme(c web.Config) string {
	if c.TLS != nil {
		return "https://"
	}
	return "http://"
}

// Telemetry opens a door with nothing behind it but metrics and health, which need no
// login: that of the parts that show people nothing.
func (s *Stack) Telemetry(ctx context.Context, registry *prometheus.Registry) (*Door, error) {
	open := s.Config.Access
	open.Login, open.OIDC = false, nil
	d, _, err := s.door(open, registry, "", s.Log)
	if err != nil {
		return nil, err
	}
	cfg, err := s.webConfig(registry, d)
	if err != nil {
		return nil, err
	}
	cfg.Pages, cfg.Anywhere = nil, true
	server, err := web.Listen(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &Door{Server: server}, nil
}

func (s *Stack) webConfig(registry *prometheus.Registry, d *door.Door) (web.Config, error) {
	pages, err := d.Routes()
	if err != nil {
		return web.Config{}, err
	}
	certificate, err := serverTLS(s.Config.Access.TLS)
	if err != nil {
		return web.Config{}, err
	}
	if s.faults != nil {
		if err := registry.Register(s.faults); err != nil {
			return web.Config{}, fmt.Errorf("register metrics: %w", err)
		}
	}
	s.checked("clickhouse", s.DB.Ping, nil)
	s.checked("ingest", s.ingestReady, nil)
	return web.Config{
		Listen: s.Config.Listen, Gatherer: registry, Log: s.Log, Door: d, Pages: pages, TLS: certificate,
		Ready: s.ready, Alive: s.alive,
	}, nil
}
