package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/api"
	"github.com/assay-dev/assay/internal/clickhouse"
)

// exportHeader is how long the server may take to begin an export; what it streams then
// may last.
const exportHeader = time.Minute

// apiOf are the routes of the API over a catalog. What people order goes to the hand and the explorer, and
// what they may not do to the audit log.
func (s *Stack) apiOf(c *Catalog, hand *Acts, explorer *Explorer, audit *slog.Logger) (map[string]http.Handler, error) {
	parts := api.Parts{
		Catalog: c, History: c, Journal: c, Configurations: c, Changes: c, Explainer: c, Planner: c, Privacy: c, Signals: c, Governance: c, Past: c, Code: s.Code, Log: s.Log,
		Hand: hand, Tokens: tokenKeeper{Tokens(s.Config), audit}, Explorer: explorer,
	}
	if e := s.exporter(); e != nil {
		parts.Exporter = e
	}
	a, err := api.New(parts)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return a.Routes(), nil
}

// exporter is nil where the HTTP interface of ClickHouse is not known.
func (s *Stack) exporter() *exporter {
	address := s.Config.ClickHouse.HTTP
	if address == "" && s.endpoints.HTTP != "" {
		address = "http://" + s.endpoints.HTTP
	}
	if address == "" {
		return nil
	}
	transport := &http.Transport{ResponseHeaderTimeout: exportHeader, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}
	if s.Config.ClickHouse.TLS {
		transport.TLSClientConfig = tlsConfig()
	}
	s.onClose(func() error { transport.CloseIdleConnections(); return nil })
	return &exporter{&clickhouse.Exporter{
		Address: address, Database: s.Views(), User: s.endpoints.Reader.Name, Password: s.endpoints.Reader.Password,
		Client: &http.Client{Transport: transport}, SmallestCell: int64(s.Config.Privacy.SmallestCell),
	}, func(ctx context.Context, line guardrails.Entry, evidence any) error {
		_, err := s.journal(ctx, line, evidence, time.Now)
		return err
	}}
}
