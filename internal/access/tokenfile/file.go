// Package tokenfile keeps the tokens of who may come in: their hashes, in one file
// of mode 0600. The door reads it again as soon as it has changed, so that a token is
// good at the next request after it was made, and dead at the next after it was
// revoked.
package tokenfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/access"
)

// ErrNoToken says that no token has the id.
var ErrNoToken = errors.New("no token has that id")

// File is a file of tokens. Without the file there are none.
type File struct {
	name string

	mu     sync.Mutex
	stamp  stamp
	tokens []access.Token
	byHash map[access.Hash]access.Token
}

// stamp tells whether the file is another than the one that was read: it is only
// ever replaced as a whole.
type stamp struct {
	inode uint64
	size  int64
	at    time.Time
}

// content is what the file holds.
type content struct {
	Tokens []access.Token `json:"tokens"`
}

// Open names a file; it is read when somebody asks.
func Open(name string) *File { return &File{name: name} }

// Find implements door.Tokens. A file that cannot be read lets nobody in; what was
// read of it before no longer counts.
func (f *File) Find(h access.Hash) (access.Token, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refresh(); err != nil {
		return access.Token{}, false
	}
	t, ok := f.byHash[h]
	return t, ok
}

// List is all tokens, expired ones too, in the order in which they were made.
func (f *File) List() ([]access.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refresh(); err != nil {
		return nil, err
	}
	return append([]access.Token{}, f.tokens...), nil
}

// Add keeps a token.
func (f *File) Add(t access.Token) error {
	return f.change(func(all []access.Token) ([]access.Token, error) { return append(all, t), nil })
}

// Revoke forgets a token and says which it was.
func (f *File) Revoke(id string) (gone access.Token, err error) {
	err = f.change(func(all []access.Token) ([]access.Token, error) {
		for i, t := range all {
			if t.ID == id {
				gone = t
				return append(all[:i:i], all[i+1:]...), nil
			}
		}
		return nil, fmt.Errorf("%s: %w", id, ErrNoToken)
	})
	return gone, err
}

// refresh reads the file if it is another one than before.
func (f *File) refresh() error {
	info, err := os.Stat(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		f.stamp, f.tokens, f.byHash = stamp{}, nil, nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read tokens: %w", err)
	}
	is := stampOf(info)
	if is == f.stamp {
		return nil
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("read tokens: %s may be read or written by others (mode %o): chmod 600", f.name, info.Mode().Perm())
	}
	b, err := os.ReadFile(f.name)
	if err != nil {
		return fmt.Errorf("read tokens: %w", err)
	}
	var c content
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("read tokens: %s: %w", f.name, err)
	}
	f.stamp, f.tokens, f.byHash = is, c.Tokens, make(map[access.Hash]access.Token, len(c.Tokens))
	for _, t := range c.Tokens {
		f.byHash[t.Hash] = t
	}
	return nil
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), at: info.ModTime()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}

// change replaces the file by one with other tokens. Two processes that change it at
// once do so one after the other.
func (f *File) change(how func([]access.Token) ([]access.Token, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(f.name), 0o700); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	lock, err := os.OpenFile(f.name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("write tokens: lock: %w", err)
	}
	if err := f.refresh(); err != nil {
		return err
	}
	all, err := how(f.tokens)
	if err != nil {
		return err
	}
	return f.write(all)
}

func (f *File) write(all []access.Token) error {
	b, err := json.MarshalIndent(content{all}, "", "  ")
	if err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	next := f.name + ".new"
	if err := os.WriteFile(next, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	if err := os.Rename(next, f.name); err != nil {
		return fmt.Errorf("write tokens: %w", err)
	}
	return nil
}
