package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/guardrails"
	"github.com/assay-dev/assay/internal/notify"
	"github.com/assay-dev/assay/internal/watch"
)

// hung is a channel that never answers.
type hung struct{}

func (hung) Send(ctx context.Context, _ notify.Message) error { <-ctx.Done(); return ctx.Err() }

// TestHungChannelDelaysNoKill: with every channel hanging the kill is verified in
// the round that shows the harm, as it is with none.
func TestHungChannelDelaysNoKill(t *testing.T) {
	took := map[string]time.Duration{}
	for name, ways := range map[string][]notify.Way{
		"none": nil, "hung": {{Name: "a", Channel: hung{}}, {Name: "b", Channel: hung{}, Again: time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop()
			n, err := notify.New(notify.Config{Waiting: 1}, ways)
			if err != nil {
				t.Fatal(err)
			}
			w, err := watch.New(watch.Config{}, s.parts(messenger{n, ""}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			begun := time.Now()
			if err := (&Guard{watch: w, notifier: n}).Run(ctx); err != nil {
				t.Fatal(err)
			}
			for _, e := range s.entries {
				if e.Kind == guardrails.Verified {
					took[name] = e.At.Sub(begun)
				}
			}
			if ended := time.Since(begun); ended > time.Minute+10*time.Second {
				t.Errorf("%s: the guard ended after %s", name, ended)
			}
		})
	}
	if _, ok := took["hung"]; !ok || took["hung"] > took["none"] {
		t.Errorf("the kill took %v", took)
	}
}
