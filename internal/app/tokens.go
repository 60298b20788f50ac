package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/assay-dev/assay/internal/access"
	"github.com/assay-dev/assay/internal/access/tokenfile"
	"github.com/assay-dev/assay/internal/api"
)

// tokenKeeper is the file of tokens as the API sees it. Who comes in no longer is a
// line of the audit log.
type tokenKeeper struct {
	file  *tokenfile.File
	audit *slog.Logger
}

// Tokens implements api.Tokens.
func (k tokenKeeper) Tokens(context.Context) ([]access.Token, error) { return k.file.List() }

// RevokeToken implements api.Tokens.
func (k tokenKeeper) RevokeToken(_ context.Context, who access.Principal, id string) error {
	gone, err := k.file.Revoke(id)
	if errors.Is(err, tokenfile.ErrNoToken) {
		return fmt.Errorf("%s: %w", id, api.ErrNoToken)
	}
	if err != nil {
		return err
	}
	k.audit.Info("token revoked", "actor", who.Name, "token", gone.ID, "name", gone.Name, "role", gone.Role.String())
	return nil
}
