package ingest

import (
	"runtime"
	"testing"
)

// BenchmarkDecode decodes the two native events of the documentation, which have
// about 200 bytes each. The ballast stands for the state of a consumer: without
// it the collector would run all the time over a heap of nothing.
func BenchmarkDecode(b *testing.B) {
	cases := map[string]string{
		"exposure": `{"type":"exposure","id":"9f1c27ab40d35e68","ts":"2026-03-01T12:00:00.123Z","unit":"u-1234567","unit_kind":"user","experiment":"checkout-cta","variant":"treatment","attrs":{"country":"DE","platform":"web"}}`,
		"outcome":  `{"type":"outcome","id":"a77b90214cd8ef13","ts":1772366412345,"unit":"u-1234567","unit_kind":"user","event":"purchase","value":19.99,"attrs":{"country":"DE","currency":"EUR"}}`,
	}
	ballast := make([]byte, 256<<20)
	defer runtime.KeepAlive(ballast)
	for name, value := range cases {
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(Key{1}, []string{"country", "platform"})
			d.Expect(8, []Partitioner{Murmur2})
			rec := Record{KafkaT: 1772366413000, Value: []byte(value)}
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := d.Decode(rec); !ok {
					b.Fatal("dead")
				}
			}
		})
	}
}
