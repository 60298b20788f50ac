package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/assay-dev/assay/internal/experiment"
)

// Log says what a process says of itself, on standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; what the command does by itself when empty
	Format string `yaml:"format"` // text: name=value; json: one object a line
}

// Tracing says whom a consumer tells of the way of its batches.
type Tracing struct {
	Endpoint string  `yaml:"endpoint"` // of an OpenTelemetry collector's OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; empty: nobody
	Share    float64 `yaml:"share"`    // of the parts that are traced, above 0 and at most 1
}

// Evaluations bounds what clients may ask that are told which variant a unit gets.
type Evaluations struct {
	PerSecond int `yaml:"per_second"` // that a process answers, and as many at once after a pause; more are told to ask again in a second (429); 0: no bound
}

// process refuses settings of the process itself that cannot work.
func (c *Config) process() error {
	var level slog.Level
	if c.Log.Level != "" && level.UnmarshalText([]byte(c.Log.Level)) != nil {
		return fmt.Errorf("log.level: unknown level %q: debug, info, warn or error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return fmt.Errorf("log.format: unknown format %q: text or json", c.Log.Format)
	}
	if c.StopWithin < experiment.Duration(time.Second) || c.StopWithin > experiment.Duration(10*time.Minute) {
		return errors.New("stop_within: it must be between 1s and 10m")
	}
	if n := c.Evaluations.PerSecond; n < 0 {
		return fmt.Errorf("evaluations.per_second: %d is below 0", n)
	}
	if t := c.Tracing; t.Share <= 0 || t.Share > 1 {
		return errors.New("tracing.share: it must be above 0 and at most 1")
	}
	if c.Tracing.Endpoint != "" {
		if err := web("tracing.endpoint", c.Tracing.Endpoint); err != nil {
			return err
		}
	}
	if c.Profiles == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Profiles)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("profiles: %q is not an address of this machine alone, such as 127.0.0.1:6060", c.Profiles)
	}
	return nil
}
