package embedded

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// The embedded engine takes a write that fails for lack of room as done: merges and
// inserts that meet a full disk leave parts whose files are cut, and drop what they
// were made of. So it is told to keep room free, and does not run where there is none.
// docs/exactly-once.md has what was seen.
const (
	mostReserve = 512 << 20 // bytes that nothing new may take
	roomEvery   = 50 * time.Millisecond
)

// room is what a file system has, in bytes.
type room struct{ free, size uint64 }

func roomOf(dir string) (r room, err error) {
	var s syscall.Statfs_t
	for {
		if err = syscall.Statfs(dir, &s); err != syscall.EINTR { //nolint:errorlint // the system call's own
			break
		}
	}
	if err != nil {
		return r, fmt.Errorf("ask for the free room of %s: %w", dir, err)
	}
	unit := uint64(s.Bsize) //nolint:gosec,unconvert,nolintlint // another type on each system, never negative
	return room{free: s.Bavail * unit, size: s.Blocks * unit}, nil
}

// reserve is how much the engine leaves free: it begins no insert and no merge for
// which less would remain.
func (r room) reserve() uint64 { return min(mostReserve, r.size/20) }

// enough is what the engine wants to be started.
func (r room) enough() uint64 { return r.reserve() / 2 }

// full tells that something else has taken most of the reserve.
func (r room) full() bool { return r.free < r.reserve()/4 }

func mebibytes(bytes uint64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

// roomToStart refuses to start an engine on a full disk.
func roomToStart(dir string) error {
	r, err := roomOf(dir)
	if err == nil && r.free < r.enough() {
		err = fmt.Errorf("the disk is full: %s are free where %s lies, and the engine needs %s", mebibytes(r.free), dir, mebibytes(r.enough()))
	}
	return err
}

// awaitEnd waits until the child has ended, and ends it when the disk is full. It
// returns false when life has ended first.
func (c *ClickHouse) awaitEnd(life context.Context, p *process) bool {
	tick := time.NewTicker(roomEvery)
	defer tick.Stop()
	for {
		select {
		case <-life.Done():
			return false
		case <-p.ended:
			return true
		case <-tick.C:
		}
		if r, err := roomOf(c.cfg.Dir); err == nil && r.full() {
			_ = p.cmd.Process.Kill() // what it writes now would be lost, and taken for written
			<-p.ended
			c.cfg.Logger.Error("the disk is full; the engine is stopped until there is room", "free", mebibytes(r.free), "needs", mebibytes(r.enough()))
			return true
		}
	}
}

// awaitRoom waits until an engine may be started. It returns false when life has ended
// first.
func (c *ClickHouse) awaitRoom(life context.Context) bool {
	tick := time.NewTicker(roomEvery)
	defer tick.Stop()
	for roomToStart(c.cfg.Dir) != nil {
		select {
		case <-life.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
