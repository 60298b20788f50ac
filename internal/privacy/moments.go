package privacy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
)

// A row of the view moments: what tells cells apart, and what adds up.
var (
	cellFields = []string{"experiment", "iteration", "phase", "settling", "variant", "metric", "dimension", "value"}
	sumFields  = []string{"n", "nonzero", "over", "sum", "sum_squares", "sum_denominator", "sum_squares_denominator", "sum_product"}
)

const newestField = "newest"

// Moments are the exact sums of several regions.
type Moments struct {
	cells map[string]*moments
	order []string
}

type moments struct {
	cell   map[string]json.RawMessage
	sums   map[string]*big.Int
	newest string
}

// NewMoments are none.
func NewMoments() *Moments { return &Moments{cells: map[string]*moments{}} }

// maxLine bounds a row, in bytes.
const maxLine = 1 << 20

// Read adds the rows of one region, one a line. A region has each cell once: the same
// file twice is an error, not twice the units.
func (m *Moments) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	seen := map[string]bool{}
	number := 0
	for lines.Scan() {
		number++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := m.add(lines.Bytes(), seen); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	if len(seen) == 0 {
		return errors.New("it holds no row")
	}
	return nil
}

func (m *Moments) add(line []byte, seen map[string]bool) error {
	var row map[string]json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	cell := map[string]json.RawMessage{}
	for _, name := range cellFields {
		if row[name] == nil {
			return fmt.Errorf("no field %q: this is not a row of moments", name)
		}
		cell[name] = row[name]
	}
	key, err := json.Marshal(cell)
	if err != nil {
		return err
	}
	if seen[string(key)] {
		return fmt.Errorf("the cell %s is there twice", key)
	}
	seen[string(key)] = true
	at := m.cells[string(key)]
	if at == nil {
		at = &moments{cell: cell, sums: map[string]*big.Int{}}
		m.cells[string(key)] = at
		m.order = append(m.order, string(key))
	}
	for _, name := range sumFields {
		v, ok := new(big.Int).SetString(string(bytes.Trim(row[name], `"`)), 10)
		if !ok {
			return fmt.Errorf("%s is not a whole number", name)
		}
		if at.sums[name] == nil {
			at.sums[name] = new(big.Int)
		}
		at.sums[name].Add(at.sums[name], v)
	}
	// The server writes times in one form, so the later one is the greater text.
	var newest string
	if err := json.Unmarshal(row[newestField], &newest); err != nil {
		return fmt.Errorf("%s is not a time", newestField)
	}
	at.newest = max(at.newest, newest)
	return nil
}

// Rows are the sums in the form in which they came, in the order of their cells. Numbers
// of up to 128 bits are texts.
func (m *Moments) Rows() []map[string]any {
	slices.Sort(m.order)
	out := make([]map[string]any, 0, len(m.order))
	for _, key := range m.order {
		at := m.cells[key]
		row := map[string]any{newestField: at.newest}
		for name, v := range at.cell {
			row[name] = v
		}
		for name, v := range at.sums {
			row[name] = v.String()
		}
		out = append(out, row)
	}
	return out
}
