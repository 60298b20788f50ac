package config

// setting is one that must be given.
type setting struct {
	name  string
	given bool
}

// system is one that a switch can be of.
type system interface {
	// needs are the settings that it cannot do without.
	needs() []setting
}

// named is a system by its name in the file.
type named struct {
	name  string
	given bool
	system
}

// systems is the table of the flag systems.
func (s Switch) systems() []named {
	return []named{
		{"webhook", s.Webhook != nil, s.Webhook},
		{"unleash", s.Unleash != nil, s.Unleash},
		{"launchdarkly", s.LaunchDarkly != nil, s.LaunchDarkly},
		{"growthbook", s.GrowthBook != nil, s.GrowthBook},
		{"flipt", s.Flipt != nil, s.Flipt},
		{"configcat", s.ConfigCat != nil, s.ConfigCat},
		{"statsig", s.Statsig != nil, s.Statsig},
		{"posthog", s.PostHog != nil, s.PostHog},
		{"split", s.Split != nil, s.Split},
		{"flagd", s.Flagd != nil, s.Flagd},
		{"go_feature_flag", s.GoFeatureFlag != nil, s.GoFeatureFlag},
	}
}

func (w *Webhook) needs() []setting {
	return []setting{{"url", w.URL != ""}, {"secret", !w.Secret.Empty()}}
}

func (u *Unleash) needs() []setting {
	return []setting{{"url", u.URL != ""}, {"token", !u.Token.Empty()}, {"environment", u.Environment != ""}}
}

func (l *LaunchDarkly) needs() []setting {
	return []setting{{"token", !l.Token.Empty()}, {"project", l.Project != ""}, {"environment", l.Environment != ""}}
}

func (g *GrowthBook) needs() []setting {
	return []setting{{"token", !g.Token.Empty()}, {"environment", g.Environment != "" || g.Experiment}}
}

func (f *Flipt) needs() []setting { return []setting{{"url", f.URL != ""}} }

func (c *ConfigCat) needs() []setting {
	return []setting{{"user", !c.User.Empty()}, {"password", !c.Password.Empty()}, {"sdk_key", !c.SDKKey.Empty()}}
}

func (s *Statsig) needs() []setting { return []setting{{"token", !s.Token.Empty()}} }

func (p *PostHog) needs() []setting {
	return []setting{{"token", !p.Token.Empty()}, {"project", p.Project != ""}}
}

func (s *Split) needs() []setting {
	return []setting{{"token", !s.Token.Empty()}, {"workspace", s.Workspace != ""}, {"environment", s.Environment != ""}}
}

func (f *Flagd) needs() []setting {
	return []setting{{"file", f.File != ""}, {"url", f.URL != ""}}
}

func (g *GoFeatureFlag) needs() []setting {
	return []setting{{"file", g.File != ""}, {"url", g.URL != ""}}
}

// files are the files of flags that a switch edits.
func (s Switch) files() []*string {
	switch {
	case s.Flagd != nil:
		return []*string{&s.Flagd.File}
	case s.GoFeatureFlag != nil:
		return []*string{&s.GoFeatureFlag.File}
	default:
		return nil
	}
}
