//go:build !noengine

package embedded

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/ebitengine/purego"
)

// loads tells whether this program can load the engine.
const loads = true

// startQuery opens the ports and then sleeps for months, a second a row: the
// command line ends with its query, and the ports with the command line.
func startQuery(http bool) string {
	q := "SYSTEM START LISTEN TCP; "
	if http {
		q += "SYSTEM START LISTEN HTTP; "
	}
	return q + "SELECT max(sleepEachRow(1)) FROM numbers(10000000) " +
		"SETTINGS function_sleep_max_microseconds_per_block=0, max_block_size=1, max_threads=1"
}

// callEngine runs the library's command line, which returns only on an error.
func callEngine(spec childSpec, ports []string) error {
	handle, err := purego.Dlopen(spec.Library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load %s: %w", spec.Library, err)
	}
	symbol, err := purego.Dlsym(handle, "chdb_query_cmdline")
	if err != nil {
		return fmt.Errorf("load %s: %w", spec.Library, err)
	}
	var run func(argc int32, argv **byte) int32
	purego.RegisterFunc(&run, symbol)

	args := append([]string{
		"clickhouse",
		"--path=" + filepath.Join(spec.Settings.Dir, dataDir),
		"--config-file=" + filepath.Join(spec.Settings.Dir, serverFile),
		"--listen_host=127.0.0.1",
		"--log-level=warning",
		"--query", startQuery(spec.HTTP),
	}, ports...)
	argv, pins := cStrings(args)
	defer pins.Unpin()
	run(int32(len(args)), argv) // what it returns has no meaning
	return errors.New("the engine ended; it writes its reasons to the log beside this file")
}

// cStrings returns a NULL-terminated array of NUL-terminated strings that stay
// where they are until they are unpinned.
func cStrings(args []string) (**byte, *runtime.Pinner) {
	var pins runtime.Pinner
	argv := make([]*byte, len(args)+1)
	for i, arg := range args {
		argv[i] = &append([]byte(arg), 0)[0]
		pins.Pin(argv[i])
	}
	pins.Pin(&argv[0])
	return &argv[0], &pins
}
