package terminal

// Palette colours words, or leaves them as they are. The zero value does.
type Palette struct{ On bool }

// Tone colours a text by whether it is good news: good, bad, warn; others are left as
// they are. Colour is never all that says so: the text does.
func (p Palette) Tone(tone, text string) string {
	code := map[string]string{"good": "32", "bad": "1;31", "warn": "33"}[tone]
	if !p.On || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Strong makes a text stand out.
func (p Palette) Strong(text string) string {
	if !p.On || text == "" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}
