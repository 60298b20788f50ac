package killswitch

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// jsonPath leads to one value of a document: names (string) and positions (int).
type jsonPath []any

var errPath = errors.New(`write it like data.flags[0].enabled or data["a.b"].enabled`)

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
			return nil, fmt.Errorf("%q is not a path: %w", text, errPath)
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
		return nil, fmt.Errorf("it is missing: %w", errPath)
	}
	return path, nil
}

// find returns the scalar at the path of a document.
func (p jsonPath) find(document []byte) (any, error) {
	var at any
	if err := json.Unmarshal(document, &at); err != nil {
		return nil, errors.New("the answer is not JSON")
	}
	for _, step := range p {
		next, ok := descend(at, step)
		if !ok {
			return nil, fmt.Errorf("the answer has nothing at read_back.path (looking for %v)", step)
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

// scalar makes values from JSON and from YAML comparable with ==: every number
// becomes a float64.
func scalar(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string, float64:
		return v, nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	default:
		return nil, errors.New("the value must be true, false, null, a number or a text")
	}
}
