package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is processor time, by process. On a machine that others use too it says
// more than the time on the wall.
type cost struct {
	consumer time.Duration // this process, the broker in it where there is no real one
	engine   time.Duration // ClickHouse, its merges included
	broker   time.Duration // 0: it is in this process
}

func (c cost) minus(d cost) cost {
	return cost{c.consumer - d.consumer, c.engine - d.engine, c.broker - d.broker}
}

func (c cost) total() time.Duration { return c.consumer + c.engine + c.broker }

// spent is what the processes have spent so far.
func (b *bencher) spent() cost {
	c := cost{consumer: ownTime(), engine: cpuTime(b.engine.Pid())}
	if pid := b.broker.pid(); pid > 0 {
		c.broker = cpuTime(pid)
	}
	return c
}

// ownTime is the processor time of this process so far.
func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuTime is that of another process. It is zero where /proc does not tell.
func cpuTime(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	text := string(b)
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:]) // the command's name may hold anything
	if len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, f := range fields[11:13] { // user and system time, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// each is the time of one of n, in microseconds.
func each(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / 1000 / float64(n) }
