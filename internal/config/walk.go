package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// walk visits every setting that is not a group of others, by its name in the file.
func walk(path string, v reflect.Value, visit func(path string, v reflect.Value)) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			walk(path, v.Elem(), visit)
		}
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[Secret]():
		for i := range v.NumField() {
			walk(strings.TrimPrefix(path+"."+v.Type().Field(i).Tag.Get("yaml"), "."), v.Field(i), visit)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i), visit)
		}
	case v.Kind() == reflect.Map && v.Type().Elem().Kind() == reflect.Struct:
		keys := slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, key := range keys {
			walk(path+"."+key.String(), v.MapIndex(key), visit)
		}
	default:
		visit(path, v)
	}
}

// Unresolved are the secrets that are named and cannot be read, each with its setting.
func (c *Config) Unresolved() []error {
	var all []error
	walk("", reflect.ValueOf(*c), func(path string, v reflect.Value) {
		if s, is := v.Interface().(Secret); is {
			if _, err := s.Resolve(); err != nil {
				all = append(all, fmt.Errorf("%s: %w", path, err))
			}
		}
	})
	return all
}

// Settings are all settings as text, by their names in the file. Secrets are in none of
// them: of an address, which may hold one, only scheme and host are shown.
func (c *Config) Settings() map[string]string {
	out := map[string]string{}
	walk("", reflect.ValueOf(*c), func(path string, v reflect.Value) { out[path] = shown(v) })
	return out
}

func shown(v reflect.Value) string {
	if s, is := v.Interface().(Secret); is {
		return s.String()
	}
	b, err := yaml.MarshalWithOptions(v.Interface(), yaml.Flow(true))
	if err != nil {
		return "?" // plain values: cannot fail
	}
	text := strings.TrimSpace(string(b))
	if v.Kind() == reflect.String {
		text = maskAddress(v.String())
	}
	return text
}

// String names a secret and does not tell it.
func (s Secret) String() string {
	switch {
	case s.Env != "":
		return "*** (environment variable " + s.Env + ")"
	case s.File != "":
		return "*** (file " + s.File + ")"
	default:
		return ""
	}
}

// maskAddress hides of an address what may be a secret: a login, a path, a query.
func maskAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		if strings.Contains(text, "://") {
			return "***"
		}
		return text
	}
	if u.User == nil && u.RawQuery == "" && strings.Trim(u.Path, "/") == "" {
		return text
	}
	return u.Scheme + "://" + u.Host + "/***"
}

// Changed are the names of the settings in which two configurations differ.
func Changed(a, b *Config) []string {
	was, is := a.Settings(), b.Settings()
	all := maps.Clone(was)
	maps.Copy(all, is)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return was[name] == is[name] })
}
