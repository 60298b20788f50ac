package ingest

import "hash/crc32"

// Partitioner is how a producer chooses the partition of a key.
type Partitioner uint8

// The partitioners. The zero value checks nothing.
const (
	AnyPartition Partitioner = iota // no promise: records are keyed anew before they are joined
	Murmur2                         // Kafka's Java client and most others
	CRC32                           // librdkafka's consistent and consistent_random
	FNV1a                           // librdkafka's fnv1a, Sarama's hash partitioner

	// ByUnit is no producer's: copies are spread by the unit's keyed hash, which is
	// all that is left of a unit once its record is stored. See [Unit.Partition].
	ByUnit
)

// ParsePartitioner reads the names "any", "murmur2", "crc32" and "fnv1a".
func ParsePartitioner(name string) (Partitioner, bool) {
	for p := AnyPartition; p <= FNV1a; p++ {
		if p.String() == name {
			return p, true
		}
	}
	return AnyPartition, false
}

// String is the partitioner's name in configuration files.
func (p Partitioner) String() string {
	switch p {
	case Murmur2:
		return "murmur2"
	case CRC32:
		return "crc32"
	case FNV1a:
		return "fnv1a"
	case ByUnit:
		return "unit"
	default:
		return "any"
	}
}

// Partition returns the partition of n that a producer with this partitioner
// chooses for the unit's id, -1 for AnyPartition, ByUnit and without partitions.
func Partition(unit []byte, n int32, by Partitioner) int32 {
	if n <= 0 {
		return -1
	}
	switch by {
	case Murmur2:
		return int32(murmur2(unit)&0x7fffffff) % n
	case CRC32:
		return int32(crc32.ChecksumIEEE(unit) % uint32(n))
	case FNV1a:
		return int32(fnv1a(unit) % uint32(n))
	default:
		return -1
	}
}

// Partition returns the partition of n that [ByUnit] chooses, -1 without partitions.
func (a Unit) Partition(n int32) int32 {
	if n <= 0 {
		return -1
	}
	return int32(a.Lo % uint64(n))
}

// murmur2 is Kafka's variant of MurmurHash2: seed 0x9747b28c, little endian.
func murmur2(b []byte) uint32 {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> 24
		h = h*m ^ k*m
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(b[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// fnv1a is the absolute value of the hash read as a signed number, the way
// Sarama did it first and librdkafka copied it.
func fnv1a(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h ^= uint32(c)
		h *= 16777619
	}
	if int32(h) < 0 {
		h = -h
	}
	return h
}
