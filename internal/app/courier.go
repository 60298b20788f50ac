package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/assay-dev/assay/internal/clickhouse"
	"github.com/assay-dev/assay/internal/daily"
	"github.com/assay-dev/assay/internal/notify"
)

// deliveries is the log of what was sent, which all senders share.
type deliveries interface {
	Deliveries(ctx context.Context, after uint64) ([]daily.Entry, error)
	AppendDelivery(ctx context.Context, e daily.Entry) error
}

// address is a channel that the report goes over.
type address struct {
	name string
	notify.Correspondent
}

// courier sends each day's report over each channel.
//
// It claims the day in the log, sends, and notes how that went; who loses the claim to
// another sender leaves the day to it. Between sending and noting a sender can die. Then
// the claim runs out and the report is sent again: at least once, not at most once,
// because nobody notices a mail that does not come, and one that comes twice has the same
// message id and the same text.
type courier struct {
	schedule daily.Schedule
	over     []address
	log      deliveries
	letter   func(context.Context, daily.Date) (notify.Letter, error)
	actor    string
	now      func() time.Time
	logger   *slog.Logger

	sent daily.Log
}

// round sends what is due.
func (c *courier) round(ctx context.Context) error {
	if len(c.over) == 0 {
		return nil
	}
	if err := c.read(ctx); err != nil {
		return err
	}
	var errs []error
	for _, a := range c.over {
		for _, day := range c.sent.Pending(c.schedule, a.name, c.now()) {
			errs = append(errs, c.send(ctx, a, day))
		}
	}
	return errors.Join(errs...)
}

// read folds in what other senders have written.
func (c *courier) read(ctx context.Context) error {
	entries, err := c.log.Deliveries(ctx, c.sent.Last)
	for _, e := range entries {
		c.sent.Add(e)
	}
	return err
}

// attempt bounds one attempt, so that it ends before its claim does: most of it is for
// collecting what hundreds of experiments have, and a part for the mail server.
const (
	attempt  = daily.Lease / 5 * 4
	delivery = daily.Lease / 5
	noting   = daily.Lease / 20
)

// send makes one attempt at one letter, if nobody else does. How it went is in the log;
// an error is one of the log itself.
func (c *courier) send(ctx context.Context, to address, day daily.Date) error {
	if err := c.append(ctx, day, to.name, daily.Claimed, ""); err != nil {
		if errors.Is(err, clickhouse.ErrConflict) {
			return c.read(ctx) // another sender was quicker; what it leaves is for the next round
		}
		return err
	}
	state, detail := c.try(ctx, to, day)
	return c.note(ctx, day, to.name, state, detail)
}

// note writes an entry wherever the log ends. The end of this process is no reason to
// leave the others in doubt.
func (c *courier) note(ctx context.Context, day daily.Date, channel string, state daily.State, detail string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noting)
	defer cancel()
	for {
		err := c.append(ctx, day, channel, state, detail)
		if !errors.Is(err, clickhouse.ErrConflict) {
			return err
		}
		if err := c.read(ctx); err != nil {
			return err
		}
	}
}

// byHand sends a day over every channel, whatever the log says of it. What fails is noted
// too: the schedule may try again.
func (c *courier) byHand(ctx context.Context, day daily.Date) ([]Sent, error) {
	if err := c.read(ctx); err != nil {
		return nil, err
	}
	var out []Sent
	for _, to := range c.over {
		if err := c.note(ctx, day, to.name, daily.Claimed, "by hand"); err != nil {
			return out, err
		}
		state, detail := c.try(ctx, to, day)
		if err := c.note(ctx, day, to.name, state, detail); err != nil {
			return out, err
		}
		out = append(out, Sent{to.name, string(state), detail})
	}
	return out, nil
}

// try writes the letter and delivers it.
func (c *courier) try(ctx context.Context, to address, day daily.Date) (daily.State, string) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	l, err := c.letter(ctx, day)
	if errors.Is(err, errNoConfiguration) {
		return daily.Skipped, err.Error()
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, delivery)
		defer cancel()
		err = to.Deliver(ctx, l)
	}
	var f *notify.Failure
	switch {
	case err == nil:
		c.logger.Info("report sent", "day", day.String(), "channel", to.name)
		return daily.Sent, ""
	case errors.As(err, &f) && f.Partial:
		c.logger.Warn("report sent to some", "day", day.String(), "channel", to.name, "error", err)
		return daily.Sent, err.Error()
	}
	c.logger.Error("report not sent yet", "day", day.String(), "channel", to.name, "error", err)
	return daily.Failed, err.Error()
}

// append writes the next entry of the log. A conflict means that it has grown.
func (c *courier) append(ctx context.Context, day daily.Date, channel string, state daily.State, detail string) error {
	e := daily.Entry{Seq: c.sent.Last + 1, At: c.now(), Day: day, Channel: channel, State: state, Actor: c.actor, Detail: detail}
	if err := c.log.AppendDelivery(ctx, e); err != nil {
		return err
	}
	c.sent.Add(e)
	return nil
}
