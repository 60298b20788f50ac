package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/assignment"
	"github.com/assay-dev/assay/internal/experiment"
)

// keepEvery is how old the time may be that the file says that everything was read at.
const keepEvery = time.Minute

// keptTargets is how assay assigned when everything was last read: what a process
// answers from that starts while the database is away.
type keptTargets struct {
	Of      string              `json:"of"`   // the database that it was read from
	Read    time.Time           `json:"read"` // when, to a minute
	Version *experiment.Version `json:"version"`
	Off     []assignment.Off    `json:"off,omitempty"`
}

func (k *keptTargets) off() map[assignment.Off]bool {
	out := make(map[assignment.Off]bool, len(k.Off))
	for _, o := range k.Off {
		out[o] = true
	}
	return out
}

// targetsFile is where that stands.
type targetsFile struct {
	name string
	of   string // the database that is read here: what was kept of another is not answered from
}

func (s *Stack) targetsFile() targetsFile {
	c := s.Config.ClickHouse
	return targetsFile{filepath.Join(s.Config.Data, "assignment.json"), strings.Join(c.Addresses, ",") + "/" + c.Database}
}

// load is nil when nothing was kept.
func (f targetsFile) load() (*keptTargets, error) {
	b, err := os.ReadFile(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k := &keptTargets{}
	if err := json.Unmarshal(b, k); err != nil {
		return nil, fmt.Errorf("decode %s: %w", f.name, err)
	}
	if k.Version == nil || k.Of != f.of {
		return nil, nil
	}
	return k, nil
}

// KeepIn takes from the file what was kept in it, and from then on keeps there what is
// read.
func (t *Targeting) KeepIn(f targetsFile) error {
	kept, err := f.load()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.file = &f
	if kept == nil {
		return err
	}
	t.kept = kept
	t.read.Store(kept.Read.UnixMilli())
	t.show(assignment.SetOf(kept.Version, kept.off(), t.now()))
	return nil
}

// keep writes the file when something has changed, and every so often, for the time that
// it says. A disk that takes nothing is told of as seldom.
func (t *Targeting) keep(now time.Time) error {
	tag := t.current.Load().set.Tag
	if t.file == nil || tag == t.tag && now.Sub(t.written) < keepEvery {
		return nil
	}
	t.written, t.tag = now, tag
	k := keptTargets{Of: t.file.of, Read: now, Version: t.version}
	for o := range t.off {
		k.Off = append(k.Off, o)
	}
	b, err := json.Marshal(k)
	if err == nil {
		err = replaceFile(t.file.name, b, 0o700, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep how to assign: %w", err)
	}
	return nil
}
