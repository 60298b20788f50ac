package doctor

import "strings"

// Told is a test message over one channel to people.
type Told struct {
	Channel string
	Err     error
}

// ListChannels says over what people would be told. Nothing was sent.
func ListChannels(names []string) []Finding {
	if len(names) == 0 {
		return []Finding{{Note, Channels, "none", "the guard tells nobody: only its metrics and its log do",
			"name channels under notify: in assay.yaml"}}
	}
	return []Finding{{OK, Channels, strings.Join(names, ", "), "configured, not tried: --notify sends a test message", ""}}
}

// CheckChannels tells which channels took a test message and its resolution.
func CheckChannels(told []Told) []Finding {
	if len(told) == 0 {
		return ListChannels(nil)
	}
	var out []Finding
	for _, t := range told {
		f := Finding{OK, Channels, t.Channel, "took a test message", ""}
		if t.Err != nil {
			f.Level, f.Detail = Fault, t.Err.Error()
			f.Remedy = "nobody would be told over it: check notify in assay.yaml, its address and its secret"
		}
		out = append(out, f)
	}
	return out
}
