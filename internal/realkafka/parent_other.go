//go:build !linux

package realkafka

import "syscall"

// withParent is for systems that cannot tell a child of its parent's end.
func withParent() *syscall.SysProcAttr { return nil }
