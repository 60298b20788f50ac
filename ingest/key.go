package ingest

import (
	"encoding/binary"

	"github.com/dchest/siphash"
)

// Key is the deployment's secret: without it a Unit can be neither made from an
// id nor guessed back by trying ids.
type Key [16]byte

// Unit hashes a unit of that kind: SipHash-2-4-128 over kind, 0x00, id. A kind
// never holds a zero byte, so no two pairs give the same text.
func (k Key) Unit(kind, id string) Unit {
	b := make([]byte, 0, len(kind)+1+len(id))
	b = append(append(append(b, kind...), 0), id...)
	return k.hash(b)
}

func (k Key) hash(b []byte) Unit {
	hi, lo := siphash.Hash128(binary.LittleEndian.Uint64(k[:8]), binary.LittleEndian.Uint64(k[8:]), b)
	return Unit{Hi: hi, Lo: lo}
}
