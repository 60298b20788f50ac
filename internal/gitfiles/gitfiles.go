// Package gitfiles reads experiment and metric files as they are at another commit of
// the Git repository that they lie in. It runs git and writes nothing.
package gitfiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
)

// Errors that people can do something about.
var (
	ErrNoRepository = errors.New("it is in no Git repository")
	ErrNoCommit     = errors.New("there is no such commit")
)

// At is files at a commit.
type At struct {
	Commit string // its hash
	// Based tells that it is the last commit that the reference and HEAD have in common:
	// what others did on the reference since then is no change of ours. Without one, as
	// in a clone without its history, it is the reference itself.
	Based bool
	Files []experiment.File
}

// Read reads the *.yaml and *.yml of folders, as they are now on disk, at a reference.
// A folder that is not there at that commit holds none.
func Read(ctx context.Context, ref string, dirs ...string) (At, error) {
	var at At
	for _, dir := range dirs {
		dir, err := existing(dir)
		if err != nil {
			return At{}, err
		}
		if at.Commit == "" {
			if at.Commit, at.Based, err = commitOf(ctx, dir.root, ref); err != nil {
				return At{}, err
			}
		}
		files, err := dir.read(ctx, at.Commit)
		if err != nil {
			return At{}, fmt.Errorf("read %s at %s: %w", dir.name, ref, err)
		}
		at.Files = append(at.Files, files...)
	}
	return at, nil
}

// folder is one of the repository, which may be gone from disk by now.
type folder struct {
	name string // as it was named
	root string // the nearest folder above that is there
	rest string // the way from there, with slashes; "." for none
}

func existing(name string) (folder, error) {
	root, err := filepath.Abs(name)
	if err != nil {
		return folder{}, fmt.Errorf("find %s: %w", name, err)
	}
	rest := "."
	for {
		if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) || root == filepath.Dir(root) {
			return folder{name, root, rest}, nil
		}
		rest = path.Join(filepath.Base(root), rest)
		root = filepath.Dir(root)
	}
}

func commitOf(ctx context.Context, dir, ref string) (hash string, based bool, err error) {
	if _, err := git(ctx, dir, nil, "rev-parse", "--git-dir"); err != nil {
		return "", false, fmt.Errorf("%s: %w: %w", dir, ErrNoRepository, err)
	}
	if strings.HasPrefix(ref, "-") { // before git reads it as an option
		return "", false, fmt.Errorf("%w as %q", ErrNoCommit, ref)
	}
	out, err := git(ctx, dir, nil, "rev-parse", "--verify", "--quiet", ref+"^{commit}")
	if err != nil {
		return "", false, fmt.Errorf("%w as %q", ErrNoCommit, ref)
	}
	hash = strings.TrimSpace(string(out))
	if base, err := git(ctx, dir, nil, "merge-base", hash, "HEAD"); err == nil {
		return strings.TrimSpace(string(base)), true, nil
	}
	return hash, false, nil
}

// read lists the folder's files at a commit and reads them all by one process.
func (f folder) read(ctx context.Context, commit string) ([]experiment.File, error) {
	prefix, err := git(ctx, f.root, nil, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, err
	}
	tree := strings.TrimSuffix(path.Join(strings.TrimSpace(string(prefix)), f.rest), "/")
	if tree == "." {
		tree = ""
	}
	out, err := git(ctx, f.root, nil, "ls-tree", "-z", "--full-tree", commit+":"+tree)
	if err != nil {
		return nil, nil //nolint:nilerr // the folder is not in that commit
	}
	var names []string
	var asked bytes.Buffer
	for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		what, name, ok := strings.Cut(line, "\t")
		fields := strings.Fields(what) // mode, type, object
		if ext := path.Ext(name); !ok || len(fields) != 3 || fields[1] != "blob" || ext != ".yaml" && ext != ".yml" {
			continue
		}
		names = append(names, name)
		fmt.Fprintln(&asked, fields[2])
	}
	if len(names) == 0 {
		return nil, nil
	}
	blobs, err := git(ctx, f.root, &asked, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	files := make([]experiment.File, len(names))
	for i, name := range names {
		var data []byte
		if data, blobs, err = cutBlob(blobs); err != nil {
			return nil, err
		}
		files[i] = experiment.File{Name: filepath.Join(f.name, name), Data: data}
	}
	return files, nil
}

// cutBlob takes one answer of cat-file --batch off: "OBJECT TYPE SIZE", the bytes, and
// the end of a line.
func cutBlob(b []byte) (data, rest []byte, err error) {
	head, rest, _ := bytes.Cut(b, []byte("\n"))
	fields := strings.Fields(string(head))
	size := -1
	if len(fields) == 3 {
		size, _ = strconv.Atoi(fields[2])
	}
	if size < 0 || len(rest) < size+1 {
		return nil, nil, fmt.Errorf("git cat-file answered %q", head)
	}
	return rest[:size], rest[size+1:], nil
}

func git(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Stdin = stdin
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(failed.String()))
	}
	return out, nil
}
