package sources

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine is the longest line that is read, in bytes.
const maxLine = 1 << 20

// errOpen says that a cell's quotes do not end in this line.
var errOpen = errors.New("a quote is not closed")

var errLong = fmt.Errorf("the line is longer than %d bytes", maxLine)

// lines reads a file line by line. A line that is too long is an error of that
// line only.
type lines struct {
	r      *bufio.Reader
	number int   // of the line that was returned last, from 1
	bytes  int64 // read so far
	begun  bool
	buf    []byte
	ahead  []ahead // read before it was asked for
}

// ahead is what next will return.
type ahead struct {
	line []byte
	err  error
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns a line without its end; io.EOF after the last one. The text is
// valid until the next call.
func (l *lines) next() ([]byte, error) {
	l.number++
	if len(l.ahead) > 0 {
		a := l.ahead[0]
		l.ahead = l.ahead[1:]
		return a.line, a.err
	}
	return l.read()
}

// peek returns the line i lines after the one that next will return.
func (l *lines) peek(i int) ([]byte, error) {
	for len(l.ahead) <= i {
		line, err := l.read()
		l.ahead = append(l.ahead, ahead{bytes.Clone(line), err})
	}
	return l.ahead[i].line, l.ahead[i].err
}

// skip drops lines that were peeked at.
func (l *lines) skip(n int) { l.ahead, l.number = l.ahead[n:], l.number+n }

func (l *lines) read() ([]byte, error) {
	l.buf = l.buf[:0]
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
		if !l.begun {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			l.begun = true
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

// row takes one line apart and returns how to look up its cells. As many cells as
// columns, or it is broken.
func (t *table) row(line []byte) (cells func(column string) (string, bool), err error) {
	list, err := splitCSV(string(line))
	if err != nil {
		return nil, err
	}
	if len(list) != len(t.names) {
		return nil, fmt.Errorf("%d columns, the header has %d", len(list), len(t.names))
	}
	return func(name string) (string, bool) {
		i, ok := t.column[name]
		if !ok {
			return "", false
		}
		return list[i], true
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
			return "", "", errOpen
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

// joined returns the row that begins with a line whose quotes are still open, and
// how many further lines it takes. Only a row that is whole counts: a quote that
// was forgotten must not swallow the lines after it.
func (t *table) joined(line []byte, l *lines) (cells func(column string) (string, bool), more int, err error) {
	whole := bytes.Clone(line)
	for {
		next, err := l.peek(more)
		if err != nil || len(whole)+len(next) > maxLine {
			return nil, 0, errOpen
		}
		more++
		whole = append(append(whole, '\n'), next...)
		if bytes.IndexByte(next, '"') < 0 {
			continue
		}
		cells, err := t.row(whole)
		switch {
		case err == nil:
			return cells, more, nil
		case !errors.Is(err, errOpen):
			return nil, 0, errOpen
		}
	}
}
