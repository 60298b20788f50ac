package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// Asked is what every request for data may say about the form of its answer.
type Asked struct {
	Format      string `query:"format" enum:"json,csv,ndjson,parquet,arrow" doc:"Form of the answer; it wins over the Accept header."`
	Accept      string `header:"Accept" doc:"Media types of the answer, the preferred first."`
	IfNoneMatch string `header:"If-None-Match" doc:"ETag of an answer that the client has: 304 when it is still the answer."`
}

// form is one way to write an answer.
type form struct {
	name, media string
}

// forms are all of them; a media type is matched without its parameters.
func forms() []form {
	return []form{
		{"json", "application/json"}, {"csv", "text/csv"}, {"ndjson", "application/x-ndjson"},
		{"parquet", "application/vnd.apache.parquet"}, {"arrow", "application/vnd.apache.arrow.stream"},
	}
}

// form chooses among those that an answer can have.
func (q *Asked) form(possible ...string) (form, error) {
	all := slices.DeleteFunc(forms(), func(f form) bool { return !slices.Contains(possible, f.name) })
	hint := "it can be had as " + strings.Join(possible, ", ") + ": say format=" + possible[0] + " or send an Accept header"
	if q.Format != "" {
		if i := slices.IndexFunc(all, func(f form) bool { return f.name == q.Format }); i >= 0 {
			return all[i], nil
		}
		return form{}, problem(http.StatusNotAcceptable, hint, "this answer cannot be had as %s", q.Format)
	}
	if q.Accept == "" {
		return all[0], nil
	}
	for part := range strings.SplitSeq(q.Accept, ",") {
		media, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if media == "*/*" || media == "application/*" {
			return all[0], nil
		}
		if i := slices.IndexFunc(all, func(f form) bool { return f.media == media }); i >= 0 {
			return all[i], nil
		}
	}
	return form{}, problem(http.StatusNotAcceptable, hint, "this answer cannot be had as %s", q.Accept)
}

// answer is what huma is to send.
type answer struct {
	Body func(huma.Context)
}

// reply is an answer in the making.
type reply struct {
	path  string       // names the answer in the cache; "": it is not kept
	tag   string       // another one when the answer is another; "": by its bytes
	value any          // as JSON
	table func() table // as rows; nil: it has none
	next  string       // link to the next page
}

// respond writes a reply in the form that was asked for, or says that the client has it.
func (a *API) respond(ctx context.Context, q *Asked, r reply) (*answer, error) {
	possible := []string{"json"}
	if r.table != nil {
		possible = append(possible, "csv", "ndjson")
		if a.parts.Exporter != nil {
			possible = append(possible, "parquet", "arrow")
		}
	}
	f, err := q.form(possible...)
	if err != nil {
		return nil, err
	}
	body, tag, err := a.encode(ctx, f, r)
	if err != nil {
		return nil, a.refuse(ctx, err)
	}
	return &answer{Body: func(w huma.Context) {
		w.SetHeader("ETag", tag)
		w.SetHeader("Cache-Control", "private, no-cache")
		w.SetHeader("Vary", "Accept")
		if r.next != "" {
			w.SetHeader("Link", "<"+r.next+`>; rel="next"`)
		}
		if matches(q.IfNoneMatch, tag) {
			w.SetStatus(http.StatusNotModified)
			return
		}
		w.SetHeader("Content-Type", f.media)
		w.SetStatus(http.StatusOK)
		_, _ = w.BodyWriter().Write(body) // a client that went away is told nothing
	}}, nil
}

// matches tells whether an If-None-Match header names the tag.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == tag || part == "*" {
			return true
		}
	}
	return false
}

// etag is a short hash of what tells an answer from others.
func etag(form, text string) string {
	sum := sha256.Sum256([]byte(form + "\x00" + text))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// encode gives the bytes of a reply and their tag. Large answers whose tag is known are
// made once.
func (a *API) encode(ctx context.Context, f form, r reply) ([]byte, string, error) {
	if r.tag == "" {
		body, err := a.write(ctx, f, r)
		return body, etag(f.name, string(body)), err
	}
	tag := etag(f.name, r.tag)
	if r.path == "" {
		body, err := a.write(ctx, f, r)
		return body, tag, err
	}
	body, err := a.cache.of(f.name+" "+r.path, tag, func() ([]byte, error) { return a.write(ctx, f, r) })
	return body, tag, err
}

func (a *API) write(ctx context.Context, f form, r reply) ([]byte, error) {
	var b bytes.Buffer
	switch f.name {
	case "json":
		err := json.NewEncoder(&b).Encode(r.value)
		return b.Bytes(), err
	case "csv":
		err := r.table().csv(&b)
		return b.Bytes(), err
	}
	t := r.table()
	if err := t.ndjson(&b); err != nil || f.name == "ndjson" {
		return b.Bytes(), err
	}
	if a.parts.Exporter == nil {
		return nil, errors.New("nobody writes " + f.name)
	}
	var out bytes.Buffer
	err := a.parts.Exporter.Convert(ctx, &out, formatOf(f.name), t.structure(), &b)
	return out.Bytes(), err
}

// formatOf is how ClickHouse calls a form.
func formatOf(form string) string {
	return map[string]string{"parquet": "Parquet", "arrow": "ArrowStream", "csv": "CSVWithNames", "ndjson": "JSONEachRow"}[form]
}

// encodingsHeld and encodingsSize bound what is kept of answers.
const (
	encodingsHeld = 128
	encodingsSize = 64 << 20
)

// encodings holds answers that many ask for: the newest of each path.
type encodings struct {
	mu   *sync.Mutex
	held map[string]*encoded
}

type encoded struct {
	mu   sync.Mutex
	tag  string
	body []byte
}

func newEncodings() encodings { return encodings{mu: &sync.Mutex{}, held: map[string]*encoded{}} }

// of is the answer at a path with a tag; of those who ask for a new one, one makes it.
func (c *encodings) of(path, tag string, write func() ([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	e := c.held[path]
	if e == nil {
		c.makeRoom()
		e = &encoded{}
		c.held[path] = e
	}
	c.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tag == tag {
		return e.body, nil
	}
	body, err := write()
	if err != nil {
		return nil, err
	}
	e.tag, e.body = tag, body
	return body, nil
}

// makeRoom forgets everything when there is too much: what is asked for comes back.
func (c *encodings) makeRoom() {
	size := 0
	for _, e := range c.held {
		if e.mu.TryLock() {
			size += len(e.body)
			e.mu.Unlock()
		}
	}
	if len(c.held) >= encodingsHeld || size > encodingsSize {
		clear(c.held)
	}
}

// describe documents an operation whose answer is a T, as rows too where it has a table.
func describe[T any](a *API, op huma.Operation, columns []column, statuses ...int) huma.Operation {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, op.OperationID+"Answer")
	content := map[string]*huma.MediaType{"application/json": {Schema: schema}}
	if columns != nil {
		row := rowSchema(columns)
		content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "A header and a line for each row. Text that begins like a formula has an apostrophe before it."}}
		content["application/x-ndjson"] = &huma.MediaType{Schema: row}
		for _, f := range forms()[3:] {
			content[f.media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
	}
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: content, Headers: map[string]*huma.Param{
		"ETag": {Description: "Names this answer: send it as If-None-Match.", Schema: &huma.Schema{Type: huma.TypeString}},
	}}}
	if op.Method == http.MethodGet {
		op.Responses["304"] = &huma.Response{Description: "Not Modified: the answer is the one that the client has."}
	}
	a.problems(op.Responses, append(statuses, http.StatusNotAcceptable)...)
	return op
}
