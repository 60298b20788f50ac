package deploy_test

import (
	"slices"
	"strings"
)

// What the dashboard shows, panel by panel.

// runtimeMetrics are those of the Go client that the dashboard shows.
var runtimeMetrics = []string{"process_resident_memory_bytes", "process_cpu_seconds_total", "go_goroutines"}

// glance are the numbers at the top: each is red from its limit on.
var glance = []struct {
	title, expr, unit string
	yellow, red       float64
}{
	{"Alerts that fire", `count(ALERTS{alertstate="firing",alertname=~"Assay.*"}) or vector(0)`, "short", 1, 3},
	{"Guardrails breached", `count(max by (experiment, guardrail, arm) (assay_guardrail_verdict{verdict="breached"}) == 1) or vector(0)`, "short", 1, 1},
	{"Experiments blind", `count(experiment:assay_guard_blind:ratio_rate5m > 0.5) or vector(0)`, "short", 1, 1},
	{"Since the last look", `time() - max(assay_guard_last_round_timestamp_seconds)`, "s", 5, 15},
	{"A look, p99", `job:assay_guard_look_seconds:p99_5m`, "s", 0.5, 1},
	{"Oldest shard", `max(shard:assay_ingest_freshness_seconds:min)`, "s", 15, 60},
	{"Records that wait", `sum(shard:assay_ingest_lag_records:min)`, "short", 1e5, 1e7},
	{"Records a second", `sum(topic_fate:assay_ingest_records:rate5m)`, "cps", 1e12, 1e12},
}

// busy counters are shown a second; the others are so rare that an hour is.
var busy = []string{
	"assay_ingest_evicted_units_total", "assay_ingest_ledger_rows_total", "assay_ingest_parts_total",
	"assay_ingest_recalled_units_total", "assay_ingest_recalls_total", "assay_ingest_records_total",
	"assay_rekey_records_total", "assay_decisions_published_total", "assay_guard_whole_reads_total",
	"assay_guard_blind_seconds_total", "process_cpu_seconds_total",
}

// special are the queries of metrics that the rule for their kind would show badly.
var special = map[string]target{
	"assay_ingest_shard_ok":                    {Expr: `max by (shard) (assay_ingest_shard_ok{shard=~"$shard"})`, LegendFormat: "{{shard}}"},
	"assay_ingest_freshness_seconds":           {Expr: `shard:assay_ingest_freshness_seconds:min{shard=~"$shard"} or min by (shard) (assay_ingest_freshness_seconds{shard=~"$shard"})`, LegendFormat: "{{shard}}"},
	"assay_guard_last_round_timestamp_seconds": {Expr: `time() - max by (instance) (assay_guard_last_round_timestamp_seconds)`, LegendFormat: "{{instance}}"},
	"assay_guardrail_verdict":                  {Expr: `sum by (verdict) (max by (experiment, guardrail, arm, verdict) (assay_guardrail_verdict{experiment=~"$experiment"}))`, LegendFormat: "{{verdict}}"},
}

// newDashboard makes the dashboard of the metrics that the processes register.
func newDashboard(all map[string][]metric) *dashboard {
	d := &dashboard{
		UID: "assay", Title: "assay", Tags: []string{"assay"}, Timezone: "utc", SchemaVersion: 41, Refresh: "10s",
		Description: "Made from the metrics' own list: go test ./deploy -run TestDashboard -update",
		Time:        map[string]any{"from": "now-3h", "to": "now"},
	}
	d.Annotations.List = []any{}
	d.Templating.List = []variable{
		{Name: "datasource", Type: "datasource", Label: "Data source", Query: "prometheus"},
		chooser("experiment", "Experiment", "label_values(assay_guardrail_verdict, experiment)"),
		chooser("shard", "Shard", "label_values(assay_ingest_shard_ok, shard)"),
	}
	d.row("At a glance")
	for i, g := range glance {
		d.add(stat(g.title, g.expr, g.unit, g.yellow, g.red), position{H: 4, W: 3, X: 3 * i})
	}
	for _, process := range []string{"ingest", "guard", "serve"} {
		d.row("assay " + process)
		list := slices.Clone(all[process])
		slices.SortFunc(list, func(a, b metric) int { return strings.Compare(a.name, b.name) })
		list = slices.DeleteFunc(list, func(m metric) bool { _, left := leftOut[m.name]; return left })
		for i, m := range list {
			d.add(chart(m), position{H: 7, W: 8, X: 8 * (i % 3)})
		}
	}
	d.row("Processes")
	for i, name := range runtimeMetrics {
		kind := "gauge"
		if strings.HasSuffix(name, "_total") {
			kind = "counter"
		}
		d.add(chart(metric{name: name, kind: kind, labels: []string{"instance"}}), position{H: 7, W: 8, X: 8 * i})
	}
	return d
}

func chooser(name, label, query string) variable {
	return variable{Name: name, Type: "query", Label: label, Query: query, Datasource: prometheusSource(), Multi: true, IncludeAll: true, AllValue: ".*", Refresh: 2}
}

func prometheusSource() *source { return &source{Type: "prometheus", UID: "${datasource}"} }

func (d *dashboard) row(title string) {
	open := false
	d.add(panel{Type: "row", Title: title, Collapsed: &open, Panels: &[]panel{}}, position{H: 1, W: 24})
}

// add puts a panel below the last one, or beside it where it begins further right.
func (d *dashboard) add(p panel, at position) {
	if n := len(d.Panels); n > 0 {
		last := d.Panels[n-1].GridPos
		at.Y = last.Y
		if at.X <= last.X {
			at.Y += last.H
		}
	}
	p.ID, p.GridPos = len(d.Panels)+1, at
	d.Panels = append(d.Panels, p)
}

func stat(title, expr, unit string, yellow, red float64) panel {
	return panel{
		Type: "stat", Title: title, Datasource: prometheusSource(),
		Targets: []target{{RefID: "A", Expr: expr, Datasource: prometheusSource()}},
		FieldConfig: &fieldConfig{Overrides: []any{}, Defaults: fieldDefaults{Unit: unit, Thresholds: &thresholds{Mode: "absolute", Steps: []step{
			{Color: "green"}, {Color: "yellow", Value: &yellow}, {Color: "red", Value: &red},
		}}}},
		Options: map[string]any{
			"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
			"colorMode":     "value", "graphMode": "area", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
			"wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
		},
	}
}

// chart is the panel of one metric, by its kind and the end of its name.
func chart(m metric) panel {
	zero := 0
	p := panel{
		Type: "timeseries", Title: m.name, Description: m.help, Datasource: prometheusSource(), Targets: queries(m),
		FieldConfig: &fieldConfig{Overrides: []any{}, Defaults: fieldDefaults{Unit: unitOf(m), Min: &zero}},
		Options: map[string]any{
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
		},
	}
	for i := range p.Targets {
		p.Targets[i].RefID, p.Targets[i].Datasource = string(rune('A'+i)), prometheusSource()
	}
	return p
}

func queries(m metric) []target {
	if t, ok := special[m.name]; ok {
		return []target{t}
	}
	series := m.name + selected(m.labels)
	switch by, legend := grouped(m.labels); {
	case m.kind == "histogram":
		bucket := m.name + "_bucket" + selected(m.labels)
		le := "by (" + strings.Join(append([]string{"le"}, m.labels...), ", ") + ") "
		return []target{
			{Expr: "histogram_quantile(0.5, sum " + le + "(rate(" + bucket + "[$__rate_interval])))", LegendFormat: strings.TrimSpace(legend + " p50")},
			{Expr: "histogram_quantile(0.99, sum " + le + "(rate(" + bucket + "[$__rate_interval])))", LegendFormat: strings.TrimSpace(legend + " p99")},
		}
	case m.kind == "counter" && slices.Contains(busy, m.name):
		return []target{{Expr: "sum " + by + "(rate(" + series + "[$__rate_interval]))", LegendFormat: legend}}
	case m.kind == "counter":
		return []target{{Expr: "sum " + by + "(increase(" + series + "[1h]))", LegendFormat: legend}}
	default:
		return []target{{Expr: "max " + by + "(" + series + ")", LegendFormat: legend}}
	}
}

// selected narrows a series to what the dashboard's variables choose.
func selected(labels []string) string {
	var by []string
	for _, l := range labels {
		if l == "experiment" || l == "shard" {
			by = append(by, l+`=~"$`+l+`"`)
		}
	}
	if by == nil {
		return ""
	}
	return "{" + strings.Join(by, ",") + "}"
}

func grouped(labels []string) (by, legend string) {
	if len(labels) == 0 {
		return "", ""
	}
	return "by (" + strings.Join(labels, ", ") + ") ", "{{" + strings.Join(labels, "}} {{") + "}}"
}

func unitOf(m metric) string {
	switch {
	case strings.HasSuffix(m.name, "_seconds_total"):
		return "percentunit" // seconds of a second
	case strings.HasSuffix(m.name, "_seconds"):
		return "s"
	case strings.HasSuffix(m.name, "_bytes"):
		return "bytes"
	case m.kind == "counter" && slices.Contains(busy, m.name):
		return "cps"
	}
	return "short"
}
