package clickhouse_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/clickhouse"
)

// TestExporter: the reader's account gets rows in every format, as what they are, and
// may still do nothing else.
func TestExporter(t *testing.T) {
	s := newStore(t)
	user := s.engine.Reader()
	e := &clickhouse.Exporter{Address: "http://" + s.engine.HTTPAddr(), Database: clickhouse.ViewsOf(s.database), User: user.Name, Password: user.Password, Client: &http.Client{}}
	for format, magic := range map[string]string{"Parquet": "PAR1", "ArrowStream": "\xff\xff\xff\xff", "CSVWithNames": `"key","n","x","at"` + "\n" + `"=a'b",-3,0.5,"2026-03-01 12:00:00.500"` + "\n"} {
		var b bytes.Buffer
		err := e.Convert(t.Context(), &b, format, "key String, n Int64, x Nullable(Float64), at Nullable(DateTime64(3, 'UTC'))",
			strings.NewReader(`{"key":"=a'b","n":-3,"x":0.5,"at":"2026-03-01T12:00:00.5Z"}`+"\n"))
		if err != nil || !strings.HasPrefix(b.String(), magic) {
			t.Errorf("%s: %q, %v", format, b.String(), err)
		}
	}
	for _, view := range []string{"exposures", "outcomes", "moments", "units"} {
		var b bytes.Buffer
		if err := e.Export(t.Context(), &b, clickhouse.View{Name: view, Experiment: "it's", Format: "Parquet"}); err != nil || !strings.HasPrefix(b.String(), "PAR1") {
			t.Errorf("%s: %d bytes, %v", view, b.Len(), err)
		}
	}
	if err := e.Export(t.Context(), &bytes.Buffer{}, clickhouse.View{Name: "decisions", Format: "Parquet"}); err == nil {
		t.Error("a view that is not to be exported was")
	}
	e.Password = "wrong"
	if err := e.Export(t.Context(), &bytes.Buffer{}, clickhouse.View{Name: "units", Format: "Parquet"}); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong password: %v", err)
	}
}
