package main

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// pseudoTerminal is a terminal that nobody sits at.
func pseudoTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here")
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return slave
}

// TestColoursOnTerminals: on a terminal, unless somebody does not want them.
func TestColoursOnTerminals(t *testing.T) {
	tty := pseudoTerminal(t)
	file, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		to   *os.File
		env  map[string]string
		want bool
	}{
		{tty, map[string]string{"TERM": "xterm"}, true},
		{tty, map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		{tty, map[string]string{"TERM": "dumb"}, false},
		{file, map[string]string{"TERM": "xterm"}, false},
	} {
		if p := paletteOf(c.to, func(name string) string { return c.env[name] }); p.On != c.want {
			t.Errorf("%s with %v: colours %t", c.to.Name(), c.env, p.On)
		}
	}
}
