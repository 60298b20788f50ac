package killswitch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// jsonPath leads to one value of a document: names (string) and positions (int).
type jsonPath []any

const pathForm = `write it like data.flags[0].enabled or data["a.b"].enabled`

// parsePath reads a path. A leading "$." or "." is allowed, as other tools write it.
func parsePath(text string) (jsonPath, error) {
	// One step: name, .name, [3] or ["any name"].
	step := regexp.MustCompile(`^(?:\.?([\p{L}\p{N}_$-]+)|\[(\d+)\]|\["([^"]+)"\])`)
	rest := text
	if len(rest) > 1 && rest[0] == '$' && (rest[1] == '.' || rest[1] == '[') {
		rest = rest[1:]
	}
	var path jsonPath
	for rest != "" {
		m := step.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("%q is not a path: %s", text, pathForm)
		}
		switch {
		case m[2] != "":
			position, err := strconv.Atoi(m[2])
			if err != nil {
				return nil, fmt.Errorf("%q is not a path: %w", text, err)
			}
			path = append(path, position)
		default:
			path = append(path, m[1]+m[3])
		}
		rest = rest[len(m[0]):]
	}
	if path == nil {
		return nil, fmt.Errorf("it is missing: %s", pathForm)
	}
	return path, nil
}

// find returns the text of the scalar at the path of a document.
func (p jsonPath) find(document []byte) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // a number's text as it was written
	var at any
	if err := decoder.Decode(&at); err != nil {
		return "", errors.New("the answer is not JSON")
	}
	for _, step := range p {
		next, ok := descend(at, step)
		if !ok {
			return "", fmt.Errorf("the answer has nothing at read_back.path (looking for %v)", step)
		}
		at = next
	}
	return scalar(at)
}

func descend(at, step any) (any, bool) {
	switch step := step.(type) {
	case string:
		object, _ := at.(map[string]any)
		value, ok := object[step]
		return value, ok
	case int:
		list, _ := at.([]any)
		if step >= len(list) {
			return nil, false
		}
		return list[step], true
	default:
		return nil, false
	}
}

// scalar is the text of a single value: true, 0, null, or a string without its
// quotation marks.
func scalar(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case nil:
		return "null", nil
	case bool, json.Number:
		return fmt.Sprint(v), nil
	default:
		return "", errors.New("at read_back.path stands an object or a list, not a single value")
	}
}
