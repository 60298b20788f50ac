package ingest

import "math/bits"

const (
	filterBits  = 32        // per unit; of 40,000 unknown units one is taken for a known one
	blockBits   = 256       // a block is half a line of the cache
	firstLayer  = 64 * 1024 // units
	layerGrowth = 4
)

// filter remembers the units that were evicted: a split block Bloom filter, as
// Parquet has it, in layers of growing size. It never forgets one.
type filter struct{ layers []layer }

type layer struct {
	blocks []block
	free   int // units until it is full
}

type block [8]uint32

// salts are Parquet's: odd numbers, one for each word of a block.
var salts = block{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

// spreadUnit mixes both halves, since the state's tables go by their upper bits.
func spreadUnit(id Unit) uint64 {
	h := (id.Hi ^ bits.RotateLeft64(id.Lo, 32)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>29) * 0xbf58476d1ce4e5b9
	return h ^ h>>32
}

func (b *block) has(key uint32) bool {
	for i, salt := range salts {
		if b[i]>>(key*salt>>27)&1 == 0 {
			return false
		}
	}
	return true
}

func (b *block) add(key uint32) {
	for i, salt := range salts {
		b[i] |= 1 << (key * salt >> 27)
	}
}

func (f *filter) empty() bool { return len(f.layers) == 0 }

func (f *filter) has(id Unit) bool {
	h := spreadUnit(id)
	for i := len(f.layers) - 1; i >= 0; i-- {
		blocks := f.layers[i].blocks
		if blocks[spot(h, len(blocks))].has(uint32(h)) {
			return true
		}
	}
	return false
}

// add takes a unit in. A filter that may not grow says "maybe" more often: that
// costs queries, and no count.
func (f *filter) add(id Unit, mayGrow bool) {
	if f.has(id) {
		return
	}
	last := len(f.layers) - 1
	if last < 0 || f.layers[last].free <= 0 && mayGrow {
		f.grow()
		last++
	}
	l := &f.layers[last]
	h := spreadUnit(id)
	l.blocks[spot(h, len(l.blocks))].add(uint32(h))
	l.free--
}

func (f *filter) grow() {
	units := firstLayer
	for range f.layers {
		units *= layerGrowth
	}
	f.layers = append(f.layers, layer{blocks: make([]block, units*filterBits/blockBits), free: units})
}

func (f *filter) size() (n int64) {
	for i := range f.layers {
		n += int64(len(f.layers[i].blocks)) * blockBits / 8
	}
	return n
}
