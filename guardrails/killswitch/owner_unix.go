//go:build unix

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
	was, ok := original.Sys().(*syscall.Stat_t)
	if !ok || (int(was.Uid) == os.Geteuid() && int(was.Gid) == os.Getegid()) {
		return nil
	}
	if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
		return fmt.Errorf("keep its owner: %w", err)
	}
	return nil
}
