package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Exporter has the server write rows in its own formats and streams them. It speaks the
// server's HTTP interface, as an account that may read the views and nothing else.
type Exporter struct {
	Address  string // http://host:port or https://host:port
	Database string // of the views
	User     string
	Password string
	Client   *http.Client
	// SmallestCell leaves cells of fewer units out of moments and units; 0: none.
	SmallestCell int64
}

// View is what is exported: the rows of one of exposures, outcomes, moments and units
// that belong to an experiment.
type View struct {
	Name       string
	Experiment string
	From, To   time.Time // of event time; zero: open
	Format     string    // Parquet, ArrowStream, JSONEachRow …
}

// Export writes the rows of a view.
func (e *Exporter) Export(ctx context.Context, w io.Writer, v View) error {
	text, err := statement("export_" + v.Name)
	if err != nil {
		return fmt.Errorf("export %s: %w", v.Name, err)
	}
	from, to := int64(0), int64(math.MaxInt64/1_000_000)
	if !v.From.IsZero() {
		from = v.From.UnixMilli()
	}
	if !v.To.IsZero() {
		to = v.To.UnixMilli()
	}
	query := url.Values{
		"default_format": {v.Format}, "param_experiment": {v.Experiment},
		"param_from": {strconv.FormatInt(from, 10)}, "param_to": {strconv.FormatInt(to, 10)},
		"param_smallest": {strconv.FormatInt(e.SmallestCell, 10)},
	}
	if err := e.ask(ctx, w, query, "text/plain", strings.NewReader(text)); err != nil {
		return fmt.Errorf("export %s: %w", v.Name, err)
	}
	return nil
}

// Convert writes rows of JSON, one a line, in another format. structure declares their
// columns as the server does.
func (e *Exporter) Convert(ctx context.Context, w io.Writer, format, structure string, rows io.Reader) error {
	body, part := io.Pipe()
	form := multipart.NewWriter(part)
	go func() {
		file, err := form.CreateFormFile("answer", "answer")
		if err == nil {
			_, err = io.Copy(file, rows)
		}
		_ = part.CloseWithError(errors.Join(err, form.Close())) // the reader of the pipe gets the error
	}()
	query := url.Values{
		"query": {"SELECT * FROM answer"}, "default_format": {format},
		"answer_format": {"JSONEachRow"}, "answer_structure": {structure},
		"date_time_input_format": {"best_effort"},
	}
	if err := e.ask(ctx, w, query, form.FormDataContentType(), body); err != nil {
		return fmt.Errorf("write %s: %w", format, err)
	}
	return nil
}

// maxRefusal is how much of the server's error is read.
const maxRefusal = 4 << 10

// ask posts a request and copies the answer.
func (e *Exporter) ask(ctx context.Context, w io.Writer, query url.Values, media string, body io.Reader) error {
	query.Set("database", e.Database)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Address+"/?"+query.Encode(), body)
	if err != nil {
		return fmt.Errorf("ask ClickHouse: %w", err)
	}
	req.Header.Set("Content-Type", media)
	req.Header.Set("X-ClickHouse-User", e.User)
	req.Header.Set("X-ClickHouse-Key", e.Password)
	answer, err := e.Client.Do(req)
	if err != nil {
		return fmt.Errorf("ask ClickHouse: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal)) // what there is of it says enough
		return fmt.Errorf("ClickHouse refuses: %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		return fmt.Errorf("copy the answer: %w", err)
	}
	return nil
}
