// Package sources turns other systems' files into native events. What a source
// looks like stands in a mapping file, one for each; the files beside this one
// are such mappings of public data sets.
//
// # The language
//
//	name: shop                     # part of every id
//	format: csv                    # csv, with a header line, or ndjson
//	unit: {column: user_id}        # or {row: true}: the number of the row
//	unit_kind: user
//	id: {column: event_id}         # may be left out, see below
//	time: {column: at, layout: "2006-01-02 15:04:05", zone: UTC}
//	events:                        # what each row yields, in this order
//	  - exposure: checkout-cta     # the experiment's key
//	    variant: {column: group, values: {A: control, B: treatment}}
//	    attrs: {country: land}     # attribute: column
//	  - outcome: purchase          # the event's name
//	    when: {amount: {nonzero: true}}
//	    value: {column: amount}
//	    after: 1h
//
// A field is {column: NAME}, or NAME alone, or {constant: TEXT}; with values: its
// text is translated, and a text that is not listed is an error of that row. In
// ndjson a column is a path of keys, "user.id".
//
// A layout is one of Go's, or rfc3339, unix, unix_ms. A layout without a zone
// needs zone:. A source without times has {start: TIME, step: DURATION}: the row
// decides, never the clock of whoever replays, so that a replay can be repeated.
//
// Conditions are by column: a text that it equals, or {not: TEXT}, {in: [TEXT]},
// {nonzero: true}. All must hold.
//
// # What goes wrong
//
// A row either yields all of its events or is broken: reported with file, line
// and reason, and nothing of it is sent. A broken row costs no other. A row is a
// line: a quoted line break is not supported and makes broken rows.
//
// Ids are made of the mapping's name, the hash of the file, the line (or the
// source's own id) and the place in the list of events. Running a replay twice
// changes nothing.
package sources
