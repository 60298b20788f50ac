package main

import (
	"errors"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/assay-dev/assay/internal/app"
)

// reload has a running process take over what may change in its file, at SIGHUP.
func (e *environment) reload() *app.Reload {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	r := &app.Reload{Asked: asked, Read: e.config, Level: e.level}
	if e.globals.LogLevel != "" {
		r.Level = nil // the flag wins
	}
	return r
}

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Check the file, the secrets and the files that it names, without any server."`
	Print configPrintCmd `cmd:"" help:"Print all settings as they hold, secrets masked."`
}

type configCheckCmd struct{}

// errConfig says that a check found mistakes. They have been printed.
var errConfig = errors.New("the configuration is not right")

// Run reads everything that a start would read before it connects.
func (configCheckCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	problems := app.CheckConfig(cfg)
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.Error()
	}
	err = env.print(map[string]any{"problems": texts}, func() error {
		for _, text := range texts {
			env.println("%s", text)
		}
		if len(texts) == 0 {
			env.println("the configuration is right")
		}
		return nil
	})
	if err == nil && len(texts) > 0 {
		return usage(errConfig)
	}
	return err
}

type configPrintCmd struct{}

// Run prints the file's settings with the flags, the environment and the defaults.
func (configPrintCmd) Run(env *environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	settings := cfg.Settings()
	return env.print(settings, func() error {
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			env.println("%s: %s", name, settings[name])
		}
		return nil
	})
}
