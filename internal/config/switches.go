package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/assay-dev/assay/internal/experiment"
)

// Switch is a kill switch that experiment files name: exactly one flag system.
type Switch struct {
	Timeout  experiment.Duration `yaml:"timeout"`  // of one call; 5s when not given
	Deadline experiment.Duration `yaml:"deadline"` // of the whole kill; 60s when not given
	Arms     map[string]string   `yaml:"arms"`     // variants that can be turned off by themselves, each with its flag's key, which may contain `{experiment}` and `{arm}`, or, for a webhook, an address

	Webhook       *Webhook       `yaml:"webhook"`
	Unleash       *Unleash       `yaml:"unleash"`
	LaunchDarkly  *LaunchDarkly  `yaml:"launchdarkly"`
	GrowthBook    *GrowthBook    `yaml:"growthbook"`
	Flipt         *Flipt         `yaml:"flipt"`
	ConfigCat     *ConfigCat     `yaml:"configcat"`
	Statsig       *Statsig       `yaml:"statsig"`
	PostHog       *PostHog       `yaml:"posthog"`
	Split         *Split         `yaml:"split"`
	Flagd         *Flagd         `yaml:"flagd"`
	GoFeatureFlag *GoFeatureFlag `yaml:"go_feature_flag"`
}

// longest is the deadline after which nobody would wait for a kill.
const longest = experiment.Duration(10 * time.Minute)

// fault is what is wrong with a switch, and where below it.
type fault struct {
	at   string // the setting: "", or a system's name
	text string
}

// Error implements error.
func (f *fault) Error() string { return f.text }

// fault finds what cannot work.
func (s Switch) fault() *fault {
	if s.Timeout < 0 || s.Deadline < 0 || s.Deadline > longest {
		return &fault{"deadline", "timeout and deadline must not be negative, deadline at most 10m"}
	}
	var known, given []string
	var missing *fault
	for _, y := range s.systems() {
		known = append(known, y.name)
		if !y.given {
			continue
		}
		given = append(given, y.name)
		for _, n := range y.needs() {
			if !n.given && missing == nil {
				missing = &fault{y.name, fmt.Sprintf("%s.%s is missing", y.name, n.name)}
			}
		}
	}
	switch len(given) {
	case 0:
		return &fault{"", "name a flag system: one of " + strings.Join(known, ", ")}
	case 1:
		return missing
	default:
		return &fault{given[1], "a switch is of one flag system, this one names " + strings.Join(given, " and ")}
	}
}

// UnmarshalYAML reads a switch as strictly as the rest of the file, and says of
// what is missing where it should stand.
func (s *Switch) UnmarshalYAML(node ast.Node) error {
	type plain Switch
	if err := yaml.NodeToValue(node, (*plain)(s), yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return err
	}
	f := s.fault()
	if f == nil {
		return nil
	}
	token := node.GetToken()
	if m, ok := node.(ast.MapNode); ok {
		for i := m.MapRange(); i.Next(); {
			if i.Key().String() == f.at {
				token = i.Key().GetToken()
			}
		}
	}
	return &yaml.SyntaxError{Message: f.text, Token: token}
}
