package clickhouse

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/assay-dev/assay/ingest"
)

// The driver takes a column as a slice of Go values and turns each into its wire
// form by reflection: 3.7 µs for a row of events, most of it spent on big.Int,
// decimal.Decimal, maps and the boxed strings of LowCardinality, against 0.6 µs
// here (docs/decisions/0002-guarded-append.md). These builders write the wire form themselves (ClickHouse's Native format, all
// integers little-endian) and hand it to the driver's column as if it had been
// read from a server: one copy, and the driver still speaks the protocol.

// builder is a column under construction.
type builder interface {
	// wire is the column in the Native format, without a state prefix.
	wire() []byte
}

// field is a named column of an insert.
type field struct {
	name string
	builder
}

// fixed is a column of numbers of one width.
type fixed []byte

func (c *fixed) wire() []byte       { return *c }
func (c *fixed) bool(v bool)        { *c = append(*c, boolByte(v)) }
func (c *fixed) uint8(v uint8)      { *c = append(*c, v) }
func (c *fixed) uint16(v uint16)    { *c = binary.LittleEndian.AppendUint16(*c, v) }
func (c *fixed) uint32(v uint32)    { *c = binary.LittleEndian.AppendUint32(*c, v) }
func (c *fixed) uint64(v uint64)    { *c = binary.LittleEndian.AppendUint64(*c, v) }
func (c *fixed) int64(v int64)      { c.uint64(uint64(v)) }
func (c *fixed) wide(hi, lo uint64) { c.uint64(lo); c.uint64(hi) }

func (c *fixed) int128(v ingest.Int128) { c.wide(uint64(v.Hi), v.Lo) }

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// text is a column of strings.
type text []byte

func (c *text) wire() []byte { return *c }

func (c *text) add(s string) {
	*c = binary.AppendUvarint(*c, uint64(len(s)))
	*c = append(*c, s...)
}

// words is a LowCardinality(String) column: each distinct string once, and an
// index per row. The strings must not change afterwards.
type words struct {
	index map[string]uint32
	dict  text
	keys  []uint32
	last  string // the string of the row before, most often the same again
	at    uint32
}

func (c *words) add(s string) {
	if len(c.keys) == 0 {
		// Index 0 is the default value whether or not a row has it.
		c.index = map[string]uint32{"": 0}
		c.dict.add("")
	}
	if s != c.last {
		c.last, c.at = s, c.lookUp(s)
	}
	c.keys = append(c.keys, c.at)
}

func (c *words) reset() {
	*c = words{dict: c.dict[:0], keys: c.keys[:0]} // a dictionary is of one insert
}

func (c *words) lookUp(s string) uint32 {
	at, known := c.index[s]
	if !known {
		at = uint32(len(c.index))
		c.index[s] = at
		c.dict.add(s)
	}
	return at
}

// Flags of the serialisation of LowCardinality: the dictionary comes with the
// block. The low byte is log2 of the width of an index.
const (
	ownDictionary = 1<<9 | 1<<10
	width8        = 0
	width16       = 1
	width32       = 2
)

func (c *words) wire() []byte {
	if len(c.keys) == 0 {
		return nil
	}
	width := uint64(width32)
	switch n := len(c.index); {
	case n <= 1<<8:
		width = width8
	case n <= 1<<16:
		width = width16
	}
	b := make(fixed, 0, 24+len(c.dict)+len(c.keys)<<width)
	b.uint64(ownDictionary | width)
	b.uint64(uint64(len(c.index)))
	b = append(b, c.dict...)
	b.uint64(uint64(len(c.keys)))
	for _, k := range c.keys {
		switch width {
		case width8:
			b.uint8(uint8(k))
		case width16:
			b.uint16(uint16(k))
		default:
			b.uint32(k)
		}
	}
	return b
}

// pairs is a Map(LowCardinality(String), String) column.
type pairs struct {
	ends   fixed
	names  words
	values text
}

func (c *pairs) add(attrs []ingest.Attr) {
	for _, a := range attrs {
		c.names.add(a.Name)
		c.values.add(a.Value)
	}
	c.ends.uint64(uint64(len(c.names.keys)))
}

func (c *pairs) reset() {
	c.ends, c.values = c.ends[:0], c.values[:0]
	c.names.reset()
}

func (c *pairs) wire() []byte {
	return bytes.Join([][]byte{c.ends, c.names.wire(), c.values}, nil)
}

// first is an Array column whose first row alone has elements.
type first struct {
	size, rows int
	elements   builder
}

func (c first) wire() []byte {
	var ends fixed
	for range c.rows {
		ends.uint64(uint64(c.size))
	}
	return append(ends, c.elements.wire()...)
}

// load gives the fields to a batch that was prepared with the same columns.
func load(batch driver.Batch, fields []field, rows int) error {
	columns := batch.Columns()
	for i, f := range fields {
		r := proto.NewReader(bytes.NewReader(f.wire()))
		if err := columns[i].Decode(r, rows); err != nil {
			return fmt.Errorf("column %s: %w", f.name, err)
		}
		if got := columns[i].Rows(); got != rows {
			return fmt.Errorf("column %s: %d rows of %d", f.name, got, rows)
		}
	}
	return nil
}
