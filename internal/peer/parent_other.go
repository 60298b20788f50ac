//go:build !linux

package peer

import "os/exec"

// withParent is for systems that cannot tell a child of its parent's end.
func withParent(*exec.Cmd) {}
