package clickhouse

import (
	"crypto/tls"
	"log/slog"
)

// DefaultDatabase is the database that is used when none is named.
const DefaultDatabase = "assay"

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

	Logger *slog.Logger // nil: nobody is told of retries
}
