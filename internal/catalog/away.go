package catalog

import (
	"context"
	"errors"
	"time"
)

// Away says that what would be shown cannot be read: ClickHouse does not answer.
type Away struct {
	Since time.Time // when it answered last, or was first asked
}

// Error implements error. It names no address: whoever asks may be anybody.
func (a *Away) Error() string {
	return "ClickHouse has not answered since " + a.Since.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Unavailable is the same in the words of [Unavailable].
func (a *Away) Unavailable() string { return a.Error() }

// Unavailable says why something cannot be read for now, by what ended the context or by
// an error of it; "" when that is not why.
func Unavailable(ctx context.Context, err error) string {
	if away := AwayOf(ctx); away != nil {
		return away.Error()
	}
	var gone interface{ Unavailable() string }
	if errors.As(err, &gone) {
		return gone.Unavailable()
	}
	return ""
}

// AwayOf is why a context has ended; nil when that is not why, or it has not.
func AwayOf(ctx context.Context) *Away {
	away, _ := errors.AsType[*Away](context.Cause(ctx))
	return away
}
