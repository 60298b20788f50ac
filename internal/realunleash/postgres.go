package realunleash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/assay-dev/assay/internal/peer"
)

// database is a PostgreSQL of one user and no password.
type database struct {
	bin, dir string
	port     int
	process  *peer.Process
}

const databaseUser = "unleash"

func (d *database) log() string { return filepath.Join(d.dir, "postgres.log") }

// start makes the files and runs the server on them. The folder must be empty.
func (d *database) start(ctx context.Context) error {
	as, err := notRoot(d.dir)
	if err != nil {
		return err
	}
	initdb := d.command(ctx, as, "initdb", "-D", "data", "-U", databaseUser, "--auth=trust", "-E", "UTF8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("make a database: %w\n%s", err, out)
	}
	// What a crash of the machine would lose is nobody's loss here.
	cmd := d.command(context.WithoutCancel(ctx), as, "postgres", "-D", "data", "-p", strconv.Itoa(d.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=32MB")
	if d.process, err = peer.Start(cmd, d.log()); err != nil {
		return err
	}
	return d.await(ctx)
}

func (d *database) await(ctx context.Context) error {
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		err := exec.CommandContext(ctx, filepath.Join(d.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(d.port), "-U", databaseUser, "-d", "postgres").Run()
		if err == nil {
			return nil
		}
		if !d.process.Running() {
			return errors.New("PostgreSQL ended")
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("PostgreSQL is not ready"), err, ctx.Err())
		case <-tick.C:
		}
	}
}

func (d *database) command(ctx context.Context, as *syscall.Credential, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = d.dir, &syscall.SysProcAttr{Credential: as}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return cmd
}

// stop is an immediate shutdown: the files are thrown away, but the memory that
// its processes share is given back, which -9 would leave.
func (d *database) stop() { d.process.Stop(syscall.SIGQUIT, 10*time.Second) }

// notRoot is whom PostgreSQL runs as where we are root, since it refuses to be:
// the user that the distribution made for it, who is given the folder.
func notRoot(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if err := errors.Join(uidErr, gidErr, os.Chown(dir, uid, gid)); err != nil {
		return nil, fmt.Errorf("give PostgreSQL its folder: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
