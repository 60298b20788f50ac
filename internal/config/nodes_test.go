package config

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestNodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "assay.yaml")
	write(t, file, `clickhouse:
  addresses: [clickhouse-a:9000]
  nodes:
    - name: a
      addresses: [clickhouse-a:9000]
    - name: b
      addresses: [clickhouse-b:9000]
`)
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []Node{{"a", []string{"clickhouse-a:9000"}}, {"b", []string{"clickhouse-b:9000"}}}
	if !reflect.DeepEqual(c.ClickHouse.Nodes, want) || c.ClickHouse.Cluster != "assay" {
		t.Errorf("nodes %v of cluster %q", c.ClickHouse.Nodes, c.ClickHouse.Cluster)
	}
}
