//go:build linux || darwin || freebsd

package killswitch

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a copy the owner of the original: a server that could read the
// one must be able to read the other.
func keepOwner(f *os.File, original fs.FileInfo) error {
	was, ours := owned(original)
	if ours {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("keep its owner: %w", err)
	}
	return nil
}

// owned tells whose a file is, and whether a new one would be the same's.
func owned(file fs.FileInfo) (syscall.Stat_t, bool) {
	was, ok := file.Sys().(*syscall.Stat_t)
	if !ok {
		return syscall.Stat_t{}, true
	}
	return *was, int(was.Uid) == os.Geteuid() && int(was.Gid) == os.Getegid()
}

// mayOwn tells whether keepOwner would be allowed: of another user's file only to
// root, of one's own also with a group that one belongs to.
func mayOwn(original fs.FileInfo) error {
	was, ours := owned(original)
	if ours || os.Geteuid() == 0 {
		return nil
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	for _, group := range groups {
		if int(was.Uid) == os.Geteuid() && int(was.Gid) == group {
			return nil
		}
	}
	return fmt.Errorf("its owner could not be kept: %w", fs.ErrPermission)
}

// mayWrite tells whether files may be made in a folder.
func mayWrite(folder string) error {
	const write = 2 // W_OK of access(2)
	if err := syscall.Access(folder, write); err != nil {
		return fmt.Errorf("make a file in %s: %w", folder, err)
	}
	return nil
}
