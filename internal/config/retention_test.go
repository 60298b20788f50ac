package config

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

func TestRetention(t *testing.T) {
	days := func(n int) experiment.Duration { return experiment.Duration(time.Duration(n) * 24 * time.Hour) }
	for name, c := range map[string]struct {
		retention map[string]experiment.Duration
		want      string
	}{
		"none":               {nil, ""},
		"of all":             {map[string]experiment.Duration{"all": days(400)}, ""},
		"shorter for one":    {map[string]experiment.Duration{"all": days(400), "device": days(90)}, ""},
		"of one alone":       {map[string]experiment.Duration{"device": days(30)}, ""},
		"too short":          {map[string]experiment.Duration{"device": days(29)}, "too short"},
		"longer than of all": {map[string]experiment.Duration{"all": days(90), "device": days(91)}, "longer than that of all"},
		"without a name":     {map[string]experiment.Duration{"": days(90)}, "has a name"},
	} {
		p := Privacy{Retention: c.retention}
		if err := p.checkRetention(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
