package embedded

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
)

// Cluster is several engines that know one another: each reads from the others as the
// account `cluster`, which may only select. Nothing in assay starts one: it stands for
// several servers where a cluster is to be tried.
type Cluster struct {
	Name  string   // as remote_servers of the server's configuration has it
	Key   string   // all accounts have passwords made of it, the same on each engine
	Nodes []string // addresses of the engines, which must be started on these ports
}

func (c *Cluster) user(name string) User {
	h := hmac.New(sha256.New, []byte(c.Key))
	h.Write([]byte(name))
	return User{Name: name, Password: hex.EncodeToString(h.Sum(nil))}
}

// clusterNode is an address in two parts.
type clusterNode struct{ Host, Port string }

func (c *Cluster) nodes() []clusterNode {
	out := make([]clusterNode, len(c.Nodes))
	for i, addr := range c.Nodes {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			host = addr
		}
		out[i] = clusterNode{host, port}
	}
	return out
}
