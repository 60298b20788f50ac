package embedded

import (
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// User is an account of the embedded ClickHouse.
type User struct {
	Name     string
	Password string
}

// SHA256 is the form in which the engine is given the password.
func (u User) SHA256() string {
	sum := sha256.Sum256([]byte(u.Password))
	return hex.EncodeToString(sum[:])
}

// users are the four accounts, with passwords that live as long as one
// [ClickHouse]. Nobody logs in as Dictionary: the engine itself uses it to read
// the source of a dictionary.
type users struct {
	Admin, Writer, Reader, Dictionary User
}

func newUsers() users {
	user := func(name string) User { return User{Name: name, Password: rand.Text()} }
	return users{Admin: user("admin"), Writer: user("writer"), Reader: user("reader"), Dictionary: user("dictionary")}
}

//go:embed engine/*.xml
var templates embed.FS

// settings is what the templates below engine/ may name.
type settings struct {
	Dir    string // absolute
	Memory int64  // bytes
	Users  users
}

const (
	serverFile = "server.xml"
	usersFile  = "users.xml"
	dataDir    = "data"
	logDir     = "log"
)

// write renders the engine's two configuration files into s.Dir. They hold
// passwords, so nobody else may read them.
func (s settings) write() error {
	for _, dir := range []string{dataDir, logDir} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	parsed, err := template.ParseFS(templates, "engine/*.xml")
	if err != nil {
		return err
	}
	for _, name := range []string{serverFile, usersFile} {
		if err := s.render(parsed.Lookup(name)); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func (s settings) render(t *template.Template) error {
	path := filepath.Join(s.Dir, t.Name())
	// An old file keeps its mode when it is opened, so it goes first.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := t.Execute(f, s); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
