package config

// Webhook is the generic switch: a signed POST, and a GET that reads back.
type Webhook struct {
	URL      string            `yaml:"url"`
	Secret   Secret            `yaml:"secret"`
	Headers  map[string]Secret `yaml:"headers"`
	ReadBack ReadBack          `yaml:"read_back"`
}

// ReadBack says how to see that the switch is off.
type ReadBack struct {
	URL     string            `yaml:"url"`
	Headers map[string]Secret `yaml:"headers"`
	Path    string            `yaml:"path"`    // into the JSON answer: enabled, or data.state
	Off     string            `yaml:"off"`     // the value's text when off: false
	Traffic string            `yaml:"traffic"` // path to the percentage of units that take part, such as data.rollout; ramps need it
}

// Unleash is a flag's environment in an Unleash server.
type Unleash struct {
	URL         string `yaml:"url"`         // of the server, without /api
	Token       Secret `yaml:"token"`       // that may write this environment: a service account's, a personal or an admin token
	Project     string `yaml:"project"`     // of the flags; default when not given
	Environment string `yaml:"environment"` // to turn off, such as production
	Flag        string `yaml:"flag"`        // the flag's key, may contain `{experiment}`; the experiment's key when not given
}

// LaunchDarkly is a flag's environment in LaunchDarkly.
type LaunchDarkly struct {
	URL         string `yaml:"url"`         // of the API; https://app.launchdarkly.com when not given
	Token       Secret `yaml:"token"`       // a service token that may turn flags of this environment off
	Project     string `yaml:"project"`     // its key
	Environment string `yaml:"environment"` // its key, such as production
	Trigger     Secret `yaml:"trigger"`     // the address of a flag trigger for turning off, of one flag; then the token need only read
	Flag        string `yaml:"flag"`        // the flag's key, may contain `{experiment}`; the experiment's key when not given
}

// GrowthBook is a feature's environment in GrowthBook, or an experiment.
type GrowthBook struct {
	URL         string `yaml:"url"`         // of the API; https://api.growthbook.io when not given
	Token       Secret `yaml:"token"`       // that may publish features in this environment, or run experiments
	Environment string `yaml:"environment"` // of the feature, such as production
	Experiment  bool   `yaml:"experiment"`  // `flag` is the id of an experiment: stop it, and leave its features on
	Flag        string `yaml:"flag"`        // the feature's id, may contain `{experiment}`; the experiment's key when not given
}

// Flipt is a namespace in a Flipt server of version 2.
type Flipt struct {
	URL         string `yaml:"url"`         // of the server
	Token       Secret `yaml:"token"`       // a client token; none where the server asks for none
	Environment string `yaml:"environment"` // of the flags; default when not given
	Namespace   string `yaml:"namespace"`   // of the flags; default when not given
	Flag        string `yaml:"flag"`        // the flag's key, may contain `{experiment}`; the experiment's key when not given
}

// ConfigCat is a config's environment in ConfigCat.
type ConfigCat struct { //nolint:revive // its name begins with that of the package by chance
	URL      string `yaml:"url"`      // of the API; https://api.configcat.com when not given
	User     Secret `yaml:"user"`     // of the credentials for the public management API
	Password Secret `yaml:"password"` // of that user
	SDKKey   Secret `yaml:"sdk_key"`  // of the config and environment to change
	Off      string `yaml:"off"`      // what is served when it is off; false when not given; to be named for settings that are not boolean
	Flag     string `yaml:"flag"`     // the setting's key, may contain `{experiment}`; the experiment's key when not given
}

// Statsig is a project in Statsig.
type Statsig struct {
	URL        string `yaml:"url"`        // of the API; https://statsigapi.net when not given
	Token      Secret `yaml:"token"`      // a console API key
	Experiment bool   `yaml:"experiment"` // `flag` is the id of an experiment: abandon it; else a gate's: disable it
	Flag       string `yaml:"flag"`       // the id, may contain `{experiment}`; the experiment's key when not given
}

// PostHog is a project in PostHog.
type PostHog struct {
	URL     string `yaml:"url"`     // of the instance; https://us.posthog.com when not given
	Token   Secret `yaml:"token"`   // a personal API key with the scope feature_flag:write
	Project string `yaml:"project"` // its number
	Flag    string `yaml:"flag"`    // the flag's key, may contain `{experiment}`; the experiment's key when not given
}

// Split is an environment in Split, now Harness FME.
type Split struct {
	URL         string `yaml:"url"`         // of the API; https://api.split.io when not given
	Token       Secret `yaml:"token"`       // an Admin API key with the role API_FEATURE_FLAG_EDITOR for this environment
	Harness     bool   `yaml:"harness"`     // the token is an API key of Harness
	Workspace   string `yaml:"workspace"`   // its id
	Environment string `yaml:"environment"` // its id or name
	Flag        string `yaml:"flag"`        // the flag's name, may contain `{experiment}`; the experiment's key when not given
}

// Flagd is a flagd whose flags are in a file.
type Flagd struct {
	File  string `yaml:"file"`  // of the flags, JSON or YAML, which is edited
	URL   string `yaml:"url"`   // of its OFREP service, such as http://localhost:8016, by which it is read back
	Token Secret `yaml:"token"` // for OFREP; none where it asks for none
	Flag  string `yaml:"flag"`  // the flag's key, may contain `{experiment}`; the experiment's key when not given
}

// GoFeatureFlag is a relay proxy of GO Feature Flag whose flags are in a file.
type GoFeatureFlag struct {
	File       string `yaml:"file"`        // of the flags, JSON or YAML, which is edited
	URL        string `yaml:"url"`         // of the relay proxy, by which it is read back
	Token      Secret `yaml:"token"`       // evaluates flags; none where it asks for none
	AdminToken Secret `yaml:"admin_token"` // has the file read again at once; none: the next poll finds it
	Flag       string `yaml:"flag"`        // the flag's key, may contain `{experiment}`; the experiment's key when not given
}
