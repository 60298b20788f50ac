package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// htmx.min.js is version 4.0.1 of the npm package htmx.org, as it is there; a test
// holds its hash. Its licence (0BSD) lies beside it.
//
//go:embed assets
var assetFiles embed.FS

// assets are files by the name in their address, which has their hash in it: a browser
// may keep them for ever.
type assets struct {
	files map[string]asset
	names map[string]string // app.css → app.1a2b3c4d5e6f.css
}

type asset struct {
	body []byte
	kind string
}

func loadAssets() (assets, error) {
	a := assets{files: map[string]asset{}, names: map[string]string{}}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return a, fmt.Errorf("read the pages' assets: %w", err)
	}
	for _, e := range entries {
		body, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("read the pages' assets: %w", err)
		}
		sum, ext := sha256.Sum256(body), path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.names[e.Name()] = name
		a.files[name] = asset{body, mime.TypeByExtension(ext)}
	}
	return a, nil
}

// address is where a file is.
func (a assets) address(name string) (string, error) {
	hashed, ok := a.names[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %s", name)
	}
	return "/assets/" + hashed, nil
}

// ServeHTTP implements http.Handler.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.body) // whoever went away does not miss it
}

// icon is what browsers ask for on pages that name none.
func (a assets) icon(w http.ResponseWriter, _ *http.Request) {
	f := a.files[a.names["icon.svg"]]
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write(f.body) // whoever went away does not miss it
}
