//go:build noengine

package embedded

import "errors"

// loads tells whether this program can load the engine. Without it the program needs no
// loader of the system, so that it starts in an empty image.
const loads = false

func callEngine(childSpec, []string) error {
	return errors.New("this program was built without the embedded engine")
}
