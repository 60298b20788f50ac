package config

import (
	"errors"
	"strings"
)

// Backup says where copies of the tables go.
type Backup struct {
	To     string `yaml:"to"`     // where the server puts them, in its own words: `File('{name}')`, `Disk('backups', '{name}')`, `S3(collection, '{name}')`
	Keep   int    `yaml:"keep"`   // complete ones that stay: after a new one older ones are removed; 0: all of them
	Folder string `yaml:"folder"` // where this process finds them, to remove old ones; empty: of the embedded engine its own, of a server nowhere
}

func (b Backup) check() error {
	if !strings.Contains(b.To, "{name}") {
		return errors.New("backup.to: {name} is missing: every backup needs a place of its own")
	}
	if b.Keep < 0 {
		return errors.New("backup.keep: it is below 0")
	}
	return nil
}
