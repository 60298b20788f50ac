package sources

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine is the longest line that is read, in bytes.
const maxLine = 1 << 20

var errLong = fmt.Errorf("the line is longer than %d bytes", maxLine)

// lines reads a file line by line. A line that is too long is an error of that
// line only.
type lines struct {
	r      *bufio.Reader
	number int   // of the line that was read last, from 1
	bytes  int64 // read so far
	buf    []byte
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns a line without its end; io.EOF after the last one. The text is
// valid until the next call.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	l.number++
	for {
		chunk, err := l.r.ReadSlice('\n')
		l.bytes += int64(len(chunk))
		if len(l.buf) <= maxLine {
			l.buf = append(l.buf, chunk...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.buf) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read: %w", err)
		case len(l.buf) > maxLine:
			return nil, errLong
		}
		line := l.buf
		if l.number == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

// table knows the columns of a csv file.
type table struct {
	names  []string
	column map[string]int
}

func readHeader(line []byte) (*table, error) {
	names, err := splitCSV(string(line))
	if err != nil {
		return nil, err
	}
	t := &table{names: names, column: map[string]int{}}
	for i, name := range names {
		if _, twice := t.column[name]; twice {
			return nil, fmt.Errorf("column %s is there twice", name)
		}
		t.column[name] = i
	}
	return t, nil
}

// row takes one line apart. As many cells as columns, or it is broken.
func (t *table) row(line []byte) (row, error) {
	cells, err := splitCSV(string(line))
	if err != nil {
		return nil, err
	}
	if len(cells) != len(t.names) {
		return nil, fmt.Errorf("%d columns, the header has %d", len(cells), len(t.names))
	}
	return func(name string) (string, bool) {
		i, ok := t.column[name]
		if !ok {
			return "", false
		}
		return cells[i], true
	}, nil
}

// splitCSV cuts a line at its commas; a cell in double quotes may hold commas,
// and doubled quotes for one.
func splitCSV(line string) ([]string, error) {
	var cells []string
	for {
		if !strings.HasPrefix(line, `"`) {
			cell, rest, more := strings.Cut(line, ",")
			if strings.Contains(cell, `"`) {
				return nil, errors.New("a quote within a cell that does not begin with one")
			}
			cells = append(cells, cell)
			if !more {
				return cells, nil
			}
			line = rest
			continue
		}
		cell, rest, err := quoted(line[1:])
		if err != nil {
			return nil, err
		}
		cells = append(cells, cell)
		if rest == "" {
			return cells, nil
		}
		line = rest[1:]
	}
}

// quoted reads a cell after its first quote. What follows it is empty or begins
// with a comma.
func quoted(s string) (cell, rest string, err error) {
	var b strings.Builder
	for {
		part, after, closed := strings.Cut(s, `"`)
		if !closed {
			return "", "", errors.New("a quote is not closed")
		}
		b.WriteString(part)
		switch {
		case strings.HasPrefix(after, `"`):
			b.WriteByte('"')
			s = after[1:]
		case after == "" || after[0] == ',':
			return b.String(), after, nil
		default:
			return "", "", errors.New("text after a closing quote")
		}
	}
}

// jsonRow reads one object. A column is a path of keys.
func jsonRow(line []byte) (row, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object in a line")
	}
	return func(path string) (string, bool) { return scalar(object, path) }, nil
}

func scalar(object map[string]any, path string) (string, bool) {
	if v, ok := object[path]; ok {
		return text(v)
	}
	head, rest, more := strings.Cut(path, ".")
	inner, ok := object[head].(map[string]any)
	if !more || !ok {
		return "", false
	}
	return scalar(inner, rest)
}

// text is how a scalar is written; null is missing, as objects and lists are.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	default:
		return "", false
	}
}
