package peer

import (
	"os/exec"
	"syscall"
)

// withParent ends a process with the one that started it, if that is killed.
func withParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
