package ingest

import (
	"encoding/binary"

	"github.com/dchest/siphash"
)

// identity is the 64-bit hash of (topic, type, unit, id, t); 0: the event has none
// and is never a duplicate.
//
// The unit, which is itself a keyed hash, is the hash's key: who does not know
// the deployment's key cannot look for collisions. Two events are taken for the
// same one when their hashes and their times agree. Among n events of one
// millisecond in a shard that happens by chance with probability n²/2^65: with a
// hundred in every millisecond of every day, once in 100,000 years.
type identity uint64

// identities is the index of a segment's rows by identity. A slot is 32 bits of
// the hash and the row's index; the other bits are in the row and in the choice
// of the part. See units for the order of the places.
type identities struct {
	part  [parts][]uint64
	count [parts]int
}

func (id identity) part() int   { return int(id>>60) % parts }
func (id identity) tag() uint64 { return uint64(id) >> 28 & (1<<32 - 1) }

func tagSpot(tag uint64, size int) int { return int(tag * uint64(size) >> 32) }

// of returns an event's identity.
func (j *Joiner) identityOf(e *Event) identity {
	if e.ID == "" && !e.Origin.Copied {
		return 0
	}
	j.text = append(j.text[:0], e.Place.Topic, byte(e.Type))
	j.text = binary.LittleEndian.AppendUint64(j.text, uint64(e.T))
	if e.ID != "" {
		j.text = append(j.text, e.ID...)
	} else { // its origin is its identity; no id begins with a byte that is not UTF-8
		j.text = append(j.text, 0xff)
		j.text = binary.LittleEndian.AppendUint32(j.text, uint32(e.Origin.Partition))
		j.text = binary.LittleEndian.AppendUint64(j.text, uint64(e.Origin.Offset))
	}
	return max(1, identity(siphash.Hash(e.Unit.Hi, e.Unit.Lo, j.text)))
}

// duplicate tells whether the segment has a row of that identity and time.
func (s *segment) duplicate(id identity, t int64) bool {
	part := s.identities.part[id.part()]
	if len(part) == 0 {
		return false
	}
	for i := tagSpot(id.tag(), len(part)); part[i] != 0; {
		if part[i]>>32 == id.tag() {
			if r := s.rows.at(uint32(part[i])); r.hash == uint32(id) && r.time() == t {
				return true
			}
		}
		if i++; i == len(part) {
			i = 0
		}
	}
	return false
}

// touch brings the identity's place into the cache.
func (s *identities) touch(id identity) uint64 {
	part := s.part[id.part()]
	if len(part) == 0 {
		return 0
	}
	return part[tagSpot(id.tag(), len(part))]
}

func (s *identities) add(id identity, row uint32) { s.put(id.part(), id.tag()<<32|uint64(row)) }

func (s *identities) put(p int, slot uint64) {
	if full(s.count[p], len(s.part[p])) {
		s.resize(p, larger(len(s.part[p])))
	}
	insert(s.part[p], slot)
	s.count[p]++
}

func insert(part []uint64, slot uint64) {
	i := tagSpot(slot>>32, len(part))
	for part[i] != 0 {
		if i++; i == len(part) {
			i = 0
		}
	}
	part[i] = slot
}

func (s *identities) resize(p, size int) {
	old := s.part[p]
	s.part[p] = make([]uint64, size)
	for _, slot := range old {
		if slot != 0 {
			insert(s.part[p], slot)
		}
	}
}

func (s *identities) size() int64 {
	n := int64(0)
	for p := range s.part {
		n += int64(len(s.part[p]))
	}
	return 8 * n
}
