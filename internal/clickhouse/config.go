package clickhouse

import (
	"crypto/tls"
	"log/slog"
	"strings"
)

// DefaultDatabase is the database that is used when none is named.
const DefaultDatabase = "assay"

// viewsPrefix begins the name of every database of views beside one whose name
// begins with "assay": a grant by prefix then names the views of all of them and no
// table.
const viewsPrefix = DefaultDatabase + "_sql"

// ViewsOf is the name of the database of views that lies beside a database: what
// people query, and all that an account for reading needs. assay_sql for assay.
func ViewsOf(database string) string {
	if rest, ok := strings.CutPrefix(database, DefaultDatabase); ok {
		return viewsPrefix + rest
	}
	return database + "_sql"
}

// layout is what a database holds.
type layout uint8

const (
	whole  layout = iota // everything, on one server
	onNode               // shards
	atHome               // everything else
)

// Config says where ClickHouse is and who asks.
type Config struct {
	Addr     []string // host:port of the native protocol, tried in order
	Database string   // empty: DefaultDatabase
	User     string
	Password string
	TLS      *tls.Config // nil: no TLS
	Code     string      // version of this program, written into marks
	Conns    int         // most connections at once; 0: 16

	// Dictionary is what the migrations write between SOURCE(CLICKHOUSE( and
	// the table's name: how the server logs in to itself to read the chains'
	// heads. Empty: "NAME assay_dictionary", a named collection with user and
	// password, so that no secret stands in a statement and a new password
	// needs no migration. Where named collections cannot be had:
	// "USER 'assay_dictionary' PASSWORD '…'".
	Dictionary string

	// Replicated takes the Replicated engines and waits for the replica before
	// every reading of a watermark. All writers and readers must agree on it.
	Replicated bool

	// Nodes hold the shards when it is not this server alone. Addr is then home: where
	// decisions, looks and configurations are, and Distributed tables over the nodes.
	// Two at least: a Distributed table over one would take what is written to it.
	Nodes []Node
	// Cluster is the name under which home's configuration has the same nodes
	// (remote_servers). Empty: DefaultCluster.
	Cluster string

	// Failed hears of each try of a statement that failed, with the server's code; 0: it did
	// not answer. Nil: nobody does.
	Failed func(code int32)

	layout layout

	Logger *slog.Logger // nil: nobody is told of retries
}
