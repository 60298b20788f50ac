package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/internal/config"
	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/gitfiles"
	"github.com/assay-dev/assay/internal/governance"
)

// Against is what a change of the files is, held against others.
type Against struct {
	Reference string              `json:"reference"`        // as it was named
	Commit    string              `json:"commit,omitempty"` // that was compared with; "" of a folder
	Based     bool                `json:"merge_base"`       // it is where HEAD left the reference, not its newest commit
	Class     governance.Class    `json:"class"`            // of all changes together
	Changes   []governance.Change `json:"changes"`
}

// CompareFiles classifies the files of the configuration against those of a Git
// reference, or of another folder that holds the same two.
func CompareFiles(ctx context.Context, cfg config.Config, set *experiment.Set, reference string, now time.Time) (Against, error) {
	a := Against{Reference: reference}
	files, err := a.files(ctx, cfg)
	if err != nil {
		return Against{}, err
	}
	before, problems := experiment.Parse(files)
	if err := problems.Err(); err != nil {
		return Against{}, WithHint(fmt.Errorf("the files of %s cannot be compared with: %w", reference, err), "name a reference whose files are fine")
	}
	a.Changes = governance.Classify(before.Rehearsal(), set.Rehearsal(), now)
	if a.Changes == nil {
		a.Changes = []governance.Change{}
	}
	a.Class = governance.Of(a.Changes)
	return a, nil
}

func (a *Against) files(ctx context.Context, cfg config.Config) ([]experiment.File, error) {
	if info, err := os.Stat(a.Reference); err == nil && info.IsDir() {
		cfg.Experiments = filepath.Join(a.Reference, filepath.Base(cfg.Experiments))
		cfg.Metrics = filepath.Join(a.Reference, filepath.Base(cfg.Metrics))
		files, err := Files(cfg)
		if err == nil && len(files) == 0 {
			err = WithHint(fmt.Errorf("no file in %s and %s", cfg.Experiments, cfg.Metrics), "name the folder that holds both")
		}
		return files, err
	}
	at, err := gitfiles.Read(ctx, a.Reference, cfg.Metrics, cfg.Experiments)
	switch {
	case errors.Is(err, gitfiles.ErrNoRepository):
		return nil, WithHint(err, "name another folder that holds the files, or keep them in Git")
	case errors.Is(err, gitfiles.ErrNoCommit):
		return nil, WithHint(err, "name a branch, a tag or a commit; in CI fetch it first, with its history")
	case err != nil:
		return nil, err
	}
	a.Commit, a.Based = at.Commit, at.Based
	return at.Files, nil
}
