package api

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/assay-dev/assay/internal/results"
)

// kind is what the cells of a column hold.
type kind uint8

// The kinds. Their zero value is text.
const (
	text    kind = iota // string
	integer             // int64
	number              // results.Number
	instant             // time.Time
	truth               // bool
)

// column is one of a table.
type column struct {
	name string
	kind kind
	doc  string
}

// table is an answer as rows: the same in every form.
type table struct {
	columns []column
	rows    [][]any // cells of the columns' kinds
}

// csv writes a header and the rows. What is not known is an empty cell.
func (t table) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(t.columns))
	for i, c := range t.columns {
		line[i] = c.name
	}
	if err := out.Write(line); err != nil {
		return fmt.Errorf("write the header: %w", err)
	}
	for _, row := range t.rows {
		for i, cell := range row {
			line[i] = csvCell(cell)
		}
		if err := out.Write(line); err != nil {
			return fmt.Errorf("write a row: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

// csvCell writes a cell. Text that a spreadsheet would run as a formula gets an
// apostrophe, which says that it is text; numbers stay numbers.
func csvCell(v any) string {
	switch v := v.(type) {
	case string:
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			return "'" + v
		}
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case results.Number:
		if !v.Known() {
			return ""
		}
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339Nano)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// ndjson writes an object a line, its fields in the order of the columns.
func (t table) ndjson(w io.Writer) error {
	for _, row := range t.rows {
		b := []byte{'{'}
		for i, cell := range row {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(strconv.AppendQuote(b, t.columns[i].name), ':')
			if at, ok := cell.(time.Time); ok && at.IsZero() {
				cell = nil
			}
			value, err := json.Marshal(cell)
			if err != nil {
				return fmt.Errorf("write %s: %w", t.columns[i].name, err)
			}
			b = append(b, value...)
		}
		if _, err := w.Write(append(b, '}', '\n')); err != nil {
			return fmt.Errorf("write a row: %w", err)
		}
	}
	return nil
}

// structure is the table as ClickHouse declares it.
func (t table) structure() string {
	types := map[kind]string{text: "String", integer: "Int64", number: "Nullable(Float64)", instant: "Nullable(DateTime64(3, 'UTC'))", truth: "Bool"}
	parts := make([]string, len(t.columns))
	for i, c := range t.columns {
		parts[i] = c.name + " " + types[c.kind]
	}
	return strings.Join(parts, ", ")
}

// rowSchema describes one row.
func rowSchema(columns []column) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false, Description: "One of these a line."}
	for _, c := range columns {
		p := &huma.Schema{Type: huma.TypeString, Description: c.doc}
		switch c.kind {
		case integer:
			p.Type, p.Format = huma.TypeInteger, "int64"
		case number:
			p.Type, p.Format, p.Nullable = huma.TypeNumber, "double", true
		case instant:
			p.Format, p.Nullable = "date-time", true
		case truth:
			p.Type = huma.TypeBoolean
		}
		s.Properties[c.name] = p
		s.Required = append(s.Required, c.name)
	}
	return s
}
