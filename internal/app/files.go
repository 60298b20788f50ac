package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
)

// Files reads all experiment and metric files that the configuration names.
func Files(cfg config.Config) ([]experiment.File, error) {
	var out []experiment.File
	for _, dir := range []string{cfg.Metrics, cfg.Experiments} {
		files, err := yamlFiles(dir)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// yamlFiles reads the *.yaml and *.yml of a folder, by name. A folder that isn't
// there holds none.
func yamlFiles(dir string) ([]experiment.File, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	var out []experiment.File
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		name := filepath.Join(dir, e.Name())
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		out = append(out, experiment.File{Name: name, Data: b})
	}
	return out, nil
}
