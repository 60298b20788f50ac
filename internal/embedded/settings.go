package embedded

import (
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
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

// users are the accounts of one [ClickHouse], with passwords that live as long
// as it does.
type users struct {
	Admin, Writer, Reader User
	// Backup is who copies tables.
	Backup User
	// Dictionary is who the engine reads the source of a dictionary as.
	Dictionary User
	// Cluster is who other engines of a cluster read as; without a name there is none.
	Cluster User
}

func newUsers(cluster *Cluster) users {
	user := func(name string) User { return User{Name: name, Password: rand.Text()} }
	var others User
	if cluster != nil {
		user = cluster.user
		others = user("cluster")
	}
	return users{Admin: user("admin"), Writer: user("writer"), Reader: user("reader"), Backup: user("backup"), Dictionary: user("dictionary"), Cluster: others}
}

//go:embed engine/*.xml
var templates embed.FS

// settings is what the templates below engine/ may name.
type settings struct {
	Dir    string // absolute
	Memory int64  // bytes
	// Reserve is how much of its disk the engine leaves free, in bytes.
	Reserve uint64
	// KeepMerged is for how long what was merged is kept, in seconds.
	KeepMerged int
	Users      users
	// Cluster and Nodes are the name of the cluster and who is in it; empty: none.
	Cluster string
	Nodes   []clusterNode
}

// What lies in a [ClickHouseConfig.Dir].
const (
	dataDir    = "data"
	logDir     = "log"
	serverFile = "server.xml"
	usersFile  = "users.xml"
	backupDir  = "backups"
)

// write renders the engine's configuration into s.Dir. It holds passwords, so
// nobody else may read it.
func (s settings) write() error {
	for _, dir := range []string{dataDir, logDir, backupDir} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	parsed, err := template.ParseFS(templates, "engine/*.xml")
	if err != nil {
		return err
	}
	return errors.Join(s.render(parsed.Lookup(serverFile)), s.render(parsed.Lookup(usersFile)))
}

// render writes one file anew: an old one would keep its mode.
func (s settings) render(t *template.Template) error {
	path := filepath.Join(s.Dir, t.Name())
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, s), f.Close())
}
