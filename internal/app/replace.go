package app

import (
	"errors"
	"os"
	"path/filepath"
)

// replaceFile writes a file and makes the folder for it, both with these modes. Whoever
// reads it sees the old or the new one, also after a crash, which may leave a hidden one
// beside it.
func replaceFile(name string, b []byte, folder, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), folder); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
