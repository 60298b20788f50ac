package kafka

import "testing"

// A shard's partition over time: what it has made durable, what waits, where the
// log ended at each look, and how fresh it may say it is.
func TestFreshness(t *testing.T) {
	type step struct {
		at, end int64 // a look
		next    int64 // durable before it
		waits   int64 // timestamp of the first record that waits; 0: none is known
		want    int64
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"an empty topic is as fresh as the look", []step{{100, 0, 0, 0, 100}, {200, 0, 0, 0, 200}}},
		{"read to the end", []step{{100, 5, 5, 0, 100}, {200, 9, 9, 0, 200}}},
		{"nothing is known yet", []step{{100, 5, 0, 0, 0}}},
		{"not yet fetched: the last look that is reached", []step{{100, 5, 5, 0, 100}, {200, 9, 5, 0, 100}, {300, 9, 5, 0, 100}, {400, 12, 9, 0, 300}}},
		{"a record waits: its timestamp", []step{{100, 5, 5, 0, 100}, {200, 9, 5, 150, 150}, {300, 11, 5, 150, 150}, {400, 11, 11, 0, 400}}},
		{"an old record waits: a replay is old data", []step{{1000, 5, 5, 0, 1000}, {2000, 9, 5, 3, 3}}},
		{"a clock ahead of ours proves nothing", []step{{100, 5, 5, 0, 100}, {200, 9, 5, 9999, 200}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p topicProgress
			for i, s := range c.steps {
				p.next, p.waits = s.next, nil
				if s.waits != 0 {
					p.waits = []int64{s.waits}
				}
				p.seen(s.at, s.end)
				if got := p.freshness(); got != s.want {
					t.Errorf("step %d: fresh as of %d, want %d", i+1, got, s.want)
				}
			}
		})
	}
}

// A shard that never catches up keeps a bounded memory and never says more than
// it may.
func TestFreshnessOfAnEndlessBacklog(t *testing.T) {
	var p topicProgress
	for i := range int64(10 * maxSamples) {
		p.next = i / 2
		p.seen(1000*i, i)
		if len(p.ends) > maxSamples {
			t.Fatalf("%d samples after %d looks", len(p.ends), i)
		}
		// The end was at i/2 at the time 1000·i/2.
		if f := p.freshness(); f > 1000*(i/2) {
			t.Fatalf("look %d: fresh as of %d, but the log of %d is not read", i, f, 1000*(i/2)+1)
		}
	}
}

func TestMisplacedShare(t *testing.T) {
	var s share
	s.add(0, 999)
	s.add(1, 1)
	if s.tooHigh() {
		t.Errorf("1 of 1000 is not above 0.1 %%")
	}
	s.add(1, 500)
	if !s.tooHigh() {
		t.Errorf("2 of 1500 is above 0.1 %%")
	}
	for range 3 {
		s.add(0, shareWindow)
	}
	if s.tooHigh() || s.misplaced+s.lastMisplaced != 0 {
		t.Errorf("what was repaired %d records ago still counts", 3*shareWindow)
	}
}
