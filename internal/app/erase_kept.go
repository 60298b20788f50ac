package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-dev/assay/ingest"
)

// keptErasure is a request of erasure as it is kept beside the backups: one of before
// the request knows neither the request nor its units.
type keptErasure struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Reason   string    `json:"reason"`
	Policy   Policy    `json:"policy"`
	UnitKind string    `json:"unit_kind"`
	Hashes   []string  `json:"hashes"`
}

// Reapplied says what a restore needs so that nobody who was erased is back.
type Reapplied struct {
	Again []Erasure `json:"erasures_asked_again"` // the backup was of before them
	Hold  int       `json:"erasures"`             // requests in all: the next assay erase run deletes what came back
}

// keptErasures is the folder; "" where this process does not reach the backups.
func (s *Stack) keptErasures() string {
	folder := s.backupFolder()
	if folder == "" {
		return ""
	}
	return filepath.Join(folder, "erasures")
}

// keepErasure writes a request beside the backups.
func (s *Stack) keepErasure(e Erasure, units []ingest.Unit) error {
	folder := s.keptErasures()
	if folder == "" {
		return nil
	}
	k := keptErasure{ID: e.id, At: e.At, Actor: e.Actor, Reason: e.Reason, Policy: e.Policy, UnitKind: e.UnitKind}
	for _, u := range units {
		k.Hashes = append(k.Hashes, fmt.Sprintf("%016x%016x", u.Hi, u.Lo))
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(folder, e.id+".json"), text, 0o700, 0o600)
}

// Reapply asks again for erasures that are kept beside the backups and that the
// database does not know, or no longer knows the units of: it was restored from a
// backup of before them.
func (s *Stack) Reapply(ctx context.Context, now func() time.Time) (Reapplied, error) {
	all, err := s.Erasures(ctx)
	if err != nil {
		return Reapplied{}, err
	}
	done := Reapplied{Again: []Erasure{}, Hold: len(all)}
	folder := s.keptErasures()
	if folder == "" {
		return done, nil
	}
	files, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	for _, f := range files {
		name := filepath.Join(folder, f.Name())
		again, err := s.reapply(ctx, name, all, now)
		if err != nil {
			return done, fmt.Errorf("ask again for what %s holds: %w", name, err)
		}
		if again != nil {
			done.Again, done.Hold = append(done.Again, *again), done.Hold+1
		}
	}
	return done, nil
}

// reapply asks again for one, unless it is known. Whoever dies in between asks twice.
func (s *Stack) reapply(ctx context.Context, name string, all []Erasure, now func() time.Time) (*Erasure, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var k keptErasure
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, err
	}
	r := ErasureRequest{UnitKind: k.UnitKind, Policy: k.Policy, Reason: k.Reason, Actor: k.Actor}
	for _, hash := range k.Hashes {
		u, err := ParseUnitHash(hash)
		if err != nil {
			return nil, err
		}
		r.Hashes = append(r.Hashes, u)
	}
	if i := slices.IndexFunc(all, func(e Erasure) bool { return e.id == k.ID }); i >= 0 {
		// The backup may have the line, and not the units that were written before it.
		if _, err := s.unitsOf(ctx, all[i]); err != nil {
			return nil, s.DB.Suppress(ctx, k.ID, k.UnitKind, r.Hashes)
		}
		return nil, nil
	}
	again, err := s.AskErasure(ctx, r, now)
	if err != nil {
		return nil, err
	}
	return &again, os.Remove(name)
}
