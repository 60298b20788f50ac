// Package layers holds the table of who may import whom, and the test that
// reads every package's imports and holds them against it. The table is the
// documentation of the architecture; ARCHITECTURE.md draws it.
package layers

// Allowed maps each package (relative to the module) to the packages of this
// module that it may import. A package that is missing fails the test.
var Allowed = map[string][]string{
	// The core: pure, no I/O, no clock.
	"stats":               {},
	"stats/design":        {},
	"stats/yardstick":     {},
	"internal/experiment": {},
	"ingest":              {"internal/experiment"},
	"ingest/proof":        {"ingest"},
	"internal/results":    {"internal/experiment", "ingest", "stats", "stats/design"},
	"guardrails":          {"internal/experiment", "internal/results", "stats"},
	"internal/doctor":     {"ingest"},
	"internal/daily":      {},
	"internal/access":     {},
	"internal/acts":       {},
	"internal/terminal":   {},
	"internal/assignment": {"internal/bucketing", "internal/experiment"},
	"internal/bucketing":  {},
	"internal/capacity":   {"internal/terminal"},
	"internal/signals":    {"internal/experiment", "stats"},
	"internal/governance": {"guardrails", "internal/access", "internal/experiment"},
	"internal/privacy":    {"ingest", "internal/experiment", "internal/results"},
	"internal/planning":   {"internal/experiment", "internal/results", "stats", "stats/design"},
	"internal/report":     {"internal/catalog", "internal/daily", "internal/experiment", "internal/governance", "internal/planning", "internal/plots", "internal/results", "internal/signals", "internal/terminal", "internal/words", "stats"},
	"internal/words":      {"internal/experiment", "internal/results"},
	"internal/plots":      {"internal/results", "internal/signals", "internal/words"},
	"internal/catalog":    {"internal/experiment", "internal/governance", "internal/results", "internal/words", "stats"},

	// Adapters: the core and one thing outside, never one another.
	"ingest/kafka":          {"ingest", "internal/assignment", "internal/experiment", "internal/results"},
	"ingest/sources":        {"ingest"},
	"guardrails/killswitch": {"internal/outbound"},
	"internal/clickhouse":   {"ingest", "internal/daily", "internal/experiment", "internal/results", "sql"},
	"internal/embedded":     {},
	"internal/gitfiles":     {"internal/experiment"},
	"internal/notify":       {"internal/outbound"},
	"internal/promql":       {"internal/outbound", "internal/signals"},
	"internal/ofrep":        {"internal/access", "internal/assignment"},
	"internal/tracing":      {},
	"internal/simulate":     {"ingest", "internal/experiment"},
	"internal/api":          {"guardrails", "internal/access", "internal/acts", "internal/catalog", "internal/experiment", "internal/governance", "internal/planning", "internal/privacy", "internal/results", "internal/signals"},
	"internal/announce":     {"guardrails"},
	"internal/watch":        {"guardrails", "ingest", "internal/experiment", "internal/results", "internal/signals", "stats"},
	"internal/pages":        {"guardrails", "internal/access", "internal/acts", "internal/catalog", "internal/experiment", "internal/governance", "internal/planning", "internal/plots", "internal/privacy", "internal/report", "internal/results", "internal/signals", "internal/words"},
	"internal/web":          {"internal/access", "internal/experiment", "internal/results"},
	"sql":                   {},

	// Who comes in.
	"internal/access/door":      {"internal/access"},
	"internal/access/oidc":      {"internal/access", "internal/jwks", "internal/outbound"},
	"internal/access/tokenfile": {"internal/access"},

	// What adapters that call others by HTTP have in common.
	"internal/outbound": {},
	"internal/jwks":     {"internal/outbound"},

	// The process.
	"internal/config": {"internal/access", "internal/daily", "internal/experiment"},
	"internal/app":    {"*"},
	"cmd/assay":       {"*"},
	"internal/bench":  {"*"},

	// Simulations of the whole core.
	"internal/calibrate": {"guardrails", "ingest", "internal/experiment", "internal/results", "stats", "stats/yardstick"},

	// Tests' own.
	"deploy":                         {},
	"internal/e2e":                   {},
	"internal/embedded/embeddedtest": {"internal/embedded", "internal/testref"},
	"internal/peer":                  {},
	"internal/realalertmanager":      {"internal/peer", "internal/testref"},
	"internal/realofrep":             {"internal/testref"},
	"internal/realkafka":             {"internal/peer", "internal/testref"},
	"internal/realunleash":           {"internal/peer", "internal/testref"},
	"internal/contract":              {},
	"internal/golden":                {},
	"internal/testref":               {},
	"internal/layers":                {},

	// Scripts for readers, who have the views and nothing of ours.
	"docs/notebooks/reportnumber": {},

	// A module of its own, which reads the dashboard with Grafana's types.
	"deploy/grafana/check": {},
}

// Pure lists the packages that must not touch the outside world, and what of the
// standard library would let them.
var (
	Pure      = []string{"stats", "stats/design", "stats/yardstick", "internal/experiment", "ingest", "ingest/proof", "internal/results", "guardrails", "internal/doctor", "internal/daily", "internal/planning", "internal/privacy", "internal/catalog", "internal/plots", "internal/report", "internal/words", "internal/access", "internal/acts", "internal/terminal", "internal/assignment", "internal/bucketing", "internal/capacity", "internal/governance", "internal/signals"}
	Forbidden = []string{"os", "net", "net/http", "os/exec", "io/ioutil", "log", "log/slog", "database/sql", "syscall"}
)
