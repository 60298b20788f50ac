//go:build !(linux || darwin || freebsd)

package killswitch

import (
	"io/fs"
	"os"
)

// keepOwner has nothing to keep where files have no owner of that kind.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// mayOwn is keepOwner's.
func mayOwn(fs.FileInfo) error { return nil }

// mayWrite leaves it to the call itself.
func mayWrite(string) error { return nil }
