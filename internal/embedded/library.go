package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

const libraryFile = "libchdb.so"

// LibraryError says that the engine's library is not where it was looked for.
type LibraryError struct {
	Tried []string // paths, in the order of looking
}

func (e *LibraryError) Error() string {
	if !loads {
		return "this program was built without the embedded ClickHouse engine"
	}
	return fmt.Sprintf("the ClickHouse engine's library is missing (looked for %v)", e.Tried)
}

// Hint says what to do about it, for the line below the error.
func (e *LibraryError) Hint() string {
	if !loads {
		return "point assay at a running ClickHouse with --clickhouse ADDRESS, or build it without the tag noengine"
	}
	if enginePackage() == "" {
		return fmt.Sprintf("no library is pinned for %s/%s; point assay at a running ClickHouse with --clickhouse ADDRESS",
			runtime.GOOS, runtime.GOARCH)
	}
	return "run `make engine` to fetch it, or point assay at a running ClickHouse with --clickhouse ADDRESS"
}

// FindLibrary returns the path of the engine's library: the given one if it is
// not empty, else the one that `make engine` fetched into the checkout around
// the working directory or around the executable, else one that lies beside the
// executable. The error is a [*LibraryError].
func FindLibrary(given string) (string, error) {
	if !loads {
		return "", &LibraryError{}
	}
	tried := candidates(given)
	for _, path := range tried {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &LibraryError{Tried: tried}
}

func candidates(given string) []string {
	if given != "" {
		return []string{given}
	}
	var paths []string
	if dir, err := os.Getwd(); err == nil {
		paths = append(paths, fetchedLibrary(dir)...)
	}
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(exe)
		paths = append(paths, filepath.Join(dir, libraryFile))
		paths = append(paths, fetchedLibrary(dir)...)
	}
	return paths
}

// fetchedLibrary is where deploy/engine/fetch.sh puts the library of the
// checkout that contains dir, and nothing outside a checkout.
func fetchedLibrary(dir string) []string {
	pkg := enginePackage()
	for pkg != "" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return []string{filepath.Join(dir, ".cache", "engine", "node_modules", pkg, libraryFile)}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
	return nil
}

// enginePackage names the npm package for this machine, as pinned in
// deploy/engine/package.json, and is empty where none is.
func enginePackage() string {
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return "@chdb/lib-linux-x64-gnu"
	}
	return ""
}
