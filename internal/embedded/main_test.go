package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/embedded"
	"github.com/assay-dev/assay/internal/embedded/embeddedtest"
)

// A process with one of these in its environment is not a run of the tests but
// a program that holds a server in the named directory until it is killed.
const (
	holdClickHouse = "ASSAY_TEST_HOLD_CLICKHOUSE"
	holdKafka      = "ASSAY_TEST_HOLD_KAFKA"
)

func TestMain(m *testing.M) {
	embedded.RunChildIfAsked()
	ctx := context.Background()
	if dir := os.Getenv(holdClickHouse); dir != "" {
		c, err := embedded.StartClickHouse(ctx, embedded.ClickHouseConfig{Dir: dir})
		hold(err, func() string { return c.Addr() })
	}
	if dir := os.Getenv(holdKafka); dir != "" {
		k, err := embedded.StartKafka(ctx, embedded.KafkaConfig{Dir: dir, Topics: map[string]int32{"t": 2}})
		hold(err, func() string { return k.Addr() })
	}
	embeddedtest.Main(m)
}

// hold prints the address and waits.
func hold(err error, addr func() string) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// startHolder runs this binary as such a program and returns the address that
// it prints.
func startHolder(t *testing.T, marker, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), marker+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the holding process says nothing: %v", err)
	}
	return cmd, strings.TrimSpace(line)
}
