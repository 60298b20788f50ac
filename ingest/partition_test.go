package ingest

import "testing"

// TestPartitionerHashes holds the hashes against published vectors: murmur2 of
// Apache Kafka's UtilsTest and librdkafka's rdmurmur2.c, fnv1a of librdkafka's
// rdfnv1a.c (which come from Sarama).
func TestPartitionerHashes(t *testing.T) {
	java := func(v int32) uint32 { return uint32(v) }
	for text, want := range map[string]uint32{
		"21": java(-973932308), "foobar": java(-790332482), "a-little-bit-long-string": java(-985981536),
		"a-little-bit-longer-string": java(-1486304829), "abc": java(479470107),
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": java(-58897971),
		"kafka": 0xd067cf64, "giberish123456789": 0x8f552b0c, "1234": 0x9fc97b14, "234": 0xe7c009ca, "34": 0x873930da, "4": 0x5a4b5ca1,
		"PreAmbleWillBeRemoved,ThePrePartThatIs": 0x78424f1c, "": 0x106e08d9,
	} {
		if got := murmur2([]byte(text)); got != want {
			t.Errorf("murmur2(%q) = %#x, want %#x", text, got, want)
		}
	}
	for text, want := range map[string]uint32{
		"kafka": 0xd33c4e1, "giberish123456789": 0x77a58295, "1234": 0x23bdd03, "234": 0x2dea3cd2, "34": 0x740fa83e, "4": 0x310ca263,
		"PreAmbleWillBeRemoved,ThePrePartThatIs": 0x65cbd69c,
	} {
		if got := fnv1a([]byte(text)); got != want {
			t.Errorf("fnv1a(%q) = %#x, want %#x", text, got, want)
		}
	}
}

func TestPartition(t *testing.T) {
	for _, c := range []struct {
		unit string
		n    int32
		by   Partitioner
		want int32
	}{
		{"foobar", 50, Murmur2, 16}, // published for Kafka's default partitioner
		{"kafka", 10, CRC32, 9}, {"order-123", 12, CRC32, 1}, {"giberish123456789", 50, CRC32, 21},
		{"kafka", 10, FNV1a, 5}, {"order-123", 12, FNV1a, 6}, {"giberish123456789", 50, FNV1a, 23},
		{"kafka", 10, AnyPartition, -1}, {"kafka", 0, Murmur2, -1},
	} {
		if got := Partition([]byte(c.unit), c.n, c.by); got != c.want {
			t.Errorf("%s of %d by %s: %d, want %d", c.unit, c.n, c.by, got, c.want)
		}
	}
}

func TestParsePartitioner(t *testing.T) {
	for _, p := range []Partitioner{AnyPartition, Murmur2, CRC32, FNV1a} {
		if got, ok := ParsePartitioner(p.String()); !ok || got != p {
			t.Errorf("%s: %s %v", p, got, ok)
		}
	}
	if _, ok := ParsePartitioner("random"); ok {
		t.Error("random has no meaning")
	}
}

// TestUnit holds the hash against the reference vectors of SipHash-2-4-128
// (vectors_sip128 of the authors' repository): key 00 01 … 0f, message 00 01 ….
func TestUnit(t *testing.T) {
	var key Key
	for i := range key {
		key[i] = byte(i)
	}
	if got, want := key.hash([]byte{}), (Unit{0xe6a825ba047f81a3, 0x930255c71472f66d}); got != want {
		t.Errorf("empty: %x", got)
	}
	if got, want := key.hash([]byte{0}), (Unit{0x44af996bd8c187da, 0x45fc229b11597634}); got != want {
		t.Errorf("00: %x", got)
	}
	if key.Unit("user", "1") == key.Unit("device", "1") || key.Unit("user", "1") == (Key{}).Unit("user", "1") {
		t.Error("kind and key must matter")
	}
}
