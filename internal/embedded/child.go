package embedded

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// childMarker is set in the environment of a process that is to be the engine.
const childMarker = "ASSAY_EMBEDDED_ENGINE"

// The child's inherited sockets. Descriptors 0 to 2 are the standard ones.
const (
	nativeSocket = 3
	httpSocket   = 4
)

// childSpec is the first line of the child's standard input. It holds the
// passwords, which is why it does not come as an argument.
type childSpec struct {
	Library  string
	HTTP     bool
	Settings settings
}

// RunChildIfAsked turns this process into the engine if [StartClickHouse] of
// another one started it for that, and then never returns. Otherwise it does
// nothing. It must be the first call in main.
func RunChildIfAsked() {
	if os.Getenv(childMarker) == "" {
		return
	}
	if err := runChild(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
	}
	os.Exit(1)
}

func runChild(stdin io.Reader) error {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read what to run: %w", err)
	}
	var spec childSpec
	if err := json.Unmarshal(line, &spec); err != nil {
		return fmt.Errorf("read what to run: %w", err)
	}
	go exitWith(in)

	dir, accounts := spec.Settings.Dir, spec.Settings.Users
	door := doorman{
		users:    []User{accounts.Admin, accounts.Writer, accounts.Reader, accounts.Backup},
		metadata: filepath.Join(dir, dataDir, "metadata"),
	}
	if accounts.Cluster.Name != "" {
		door.users = append(door.users, accounts.Cluster)
	}
	native, err := relayTo(nativeSocket, door.screen)
	if err != nil {
		return err
	}
	ports := []string{"--tcp_port=" + native}
	if spec.HTTP {
		http, err := relayTo(httpSocket, nil)
		if err != nil {
			return err
		}
		ports = append(ports, "--http_port="+http)
	}
	if err := spec.Settings.write(); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return callEngine(spec, ports)
}

// exitWith ends the process when the parent has gone or asks for it, which is
// the same thing: it closes our input. The engine is not asked first. Every
// part it acknowledged is complete under its final name, so an end without
// notice is the one path, tested all the time, and not a rare second one.
func exitWith(in io.Reader) {
	_, _ = io.Copy(io.Discard, in)
	os.Exit(0)
}

// relayTo serves the inherited socket and returns the port that the engine must
// listen on behind it. The port was free a moment ago; if somebody takes it
// first, the engine fails to listen, and the parent starts another child.
func relayTo(socket uintptr, screen func(*bufio.Reader) ([]byte, error)) (port string, err error) {
	file := os.NewFile(socket, "relay")
	front, err := net.FileListener(file)
	if err != nil {
		return "", fmt.Errorf("take over the listening socket: %w", err)
	}
	file.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	r := relay{engine: free.Addr().String(), screen: screen}
	if err := free.Close(); err != nil { // now, or we would wait for ourselves
		return "", err
	}
	go func() {
		waitFor(r.engine)
		r.serve(front)
	}()
	_, port, err = net.SplitHostPort(r.engine)
	return port, err
}

// waitFor returns when somebody listens. Until then the clients stay in the
// socket's queue, so that nobody meets an engine that is still starting.
func waitFor(engine string) {
	for {
		conn, err := net.Dial("tcp", engine)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
