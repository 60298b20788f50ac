package config

import "testing"

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"4GiB": 4 << 30, "512MiB": 512 << 20, "1TiB": 1 << 40, "1536MiB": 3 << 29} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want || s.String() != text {
			t.Errorf("%s: %d, %s, %v", text, s, s, err)
		}
	}
	for _, text := range []string{"", "4", "4GB", "GiB", "-1GiB", "1.5GiB", "9000000000TiB", "4 GiB"} {
		var s Size
		if s.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is %d", text, s)
		}
	}
}
