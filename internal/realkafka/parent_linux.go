package realkafka

import "syscall"

// withParent ends a broker with the test, if that is killed.
func withParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
