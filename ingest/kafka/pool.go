package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pool lends the client what a fetch is unpacked into. An event keeps nothing of
// its record, so both are free as soon as a record is decoded; without a pool
// they are most of what the consumer allocates.
type pool struct{ bytes, records sync.Pool }

// unpacked is how many times as large events usually are when they are unpacked.
const unpacked = 4

// GetDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pool) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	if b, ok := p.bytes.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 0, unpacked*len(compressed))
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pool) PutDecompressBytes(b []byte) { p.bytes.Put(&b) }

// GetRecords implements kgo.PoolRecords.
func (p *pool) GetRecords(n int) []kgo.Record {
	if r, ok := p.records.Get().(*[]kgo.Record); ok && cap(*r) >= n {
		return (*r)[:0]
	}
	return make([]kgo.Record, 0, n)
}

// PutRecords implements kgo.PoolRecords.
func (p *pool) PutRecords(r []kgo.Record) { p.records.Put(&r) }

// recycle gives records back. Nothing of them may be used afterwards.
func recycle(records []*kgo.Record) {
	for _, r := range records {
		r.Recycle()
	}
}
