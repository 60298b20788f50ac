package sources

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/ingest"
)

// Producer takes native events. It may write later; Flush waits for that.
type Producer interface {
	Produce(ctx context.Context, kind ingest.Type, unit string, value []byte) error
	Flush(ctx context.Context) error
}

// Report is what a replay did.
type Report struct {
	Rows      int      `json:"rows"` // lines of data, broken ones too
	Exposures int      `json:"exposures"`
	Outcomes  int      `json:"outcomes"`
	Filtered  int      `json:"filtered,omitempty"` // rows of which the mapping makes nothing
	Broken    int      `json:"broken"`             // rows that yielded nothing because of an error
	Errors    []Broken `json:"errors,omitempty"`   // the first of them
}

// Broken is one row that could not be read.
type Broken struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // from 1
	Reason string `json:"reason"`
}

// String is file:line: reason.
func (b Broken) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason) }

// maxErrors is how many broken rows a report names; all are counted.
const maxErrors = 20

// progressEvery is after how many rows progress is told.
const progressEvery = 10_000

// Progress is how far a replay is.
type Progress struct {
	Rows        int
	Bytes, Size int64
}

// Replay reads a file through a mapping and hands its events to a producer.
// Broken rows are reported, not returned; an error means that the replay did not
// get to the end, and that it can simply be run again. progress may be nil.
func Replay(ctx context.Context, path string, m *Mapping, p Producer, progress func(Progress)) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("open source: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err != nil {
		return Report{}, fmt.Errorf("hash %s: %w", path, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Report{}, fmt.Errorf("rewind %s: %w", path, err)
	}
	r := &replay{
		mapping: m, producer: p, file: filepath.Base(path), lines: newLines(f),
		judge: ingest.NewDecoder(ingest.Key{}, nil), id: m.Name + ":" + hex.EncodeToString(hash.Sum(nil)[:8]),
	}
	told := func() {
		if progress != nil {
			progress(Progress{Rows: r.report.Rows, Bytes: r.lines.bytes, Size: size})
		}
	}
	if err := r.run(ctx, told); err != nil {
		return r.report, fmt.Errorf("replay %s: %w", path, err)
	}
	told()
	return r.report, nil
}

type replay struct {
	mapping  *Mapping
	producer Producer
	file, id string
	lines    *lines
	table    *table // nil for JSON
	tree     tree
	judge    *ingest.Decoder
	report   Report
}

func (r *replay) run(ctx context.Context, told func()) error {
	if err := r.header(); err != nil {
		return err
	}
	for {
		line, err := r.lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return r.producer.Flush(ctx)
		case err != nil && !errors.Is(err, errLong):
			return err
		case err == nil && len(bytes.TrimSpace(line)) == 0:
			continue
		}
		r.report.Rows++
		if err := r.row(ctx, line, err); err != nil {
			return err
		}
		if r.report.Rows%progressEvery == 0 {
			told()
		}
	}
}

// header reads the names of the columns, and refuses a mapping that reads others.
func (r *replay) header() error {
	if r.mapping.Format != csvFormat {
		return nil
	}
	line, err := r.lines.next()
	if err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	if r.table, err = readHeader(line); err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	for _, column := range r.mapping.columns() {
		if _, ok := r.table.column[column]; !ok {
			return fmt.Errorf("the mapping reads column %s, the file has %s", column, strings.Join(r.table.names, ", "))
		}
	}
	return nil
}

// row sends what a line becomes. wrong is why it could not even be read.
func (r *replay) row(ctx context.Context, line []byte, wrong error) error {
	number := r.lines.number
	natives, err := r.natives(line, wrong)
	if err != nil {
		r.report.Broken++
		if len(r.report.Errors) < maxErrors {
			r.report.Errors = append(r.report.Errors, Broken{r.file, number, err.Error()})
		}
		return nil
	}
	if len(natives) == 0 {
		r.report.Filtered++
	}
	for _, n := range natives {
		if err := r.producer.Produce(ctx, n.kind, n.unit, n.value); err != nil {
			return err
		}
		if n.kind == ingest.Exposure {
			r.report.Exposures++
		} else {
			r.report.Outcomes++
		}
	}
	return nil
}
