package ingest

// Records of one producer look alike: the same names in the same order with the
// same punctuation, and only the values differ. A skeleton is such a form, taken
// down while a record was read in full. A record that has it needs no look at
// names, colons and commas one by one.

// skeletons are the forms met last, the latest first.
type skeletons struct {
	list   [4]*skeleton
	misses uint
}

// skeleton is a sequence of values with the fixed text before each.
type skeleton struct {
	steps  []bone
	tail   []byte // after the last value
	unfit  bool   // it holds more than strings and numbers
	behind int    // while it is taken down: the end of the last value
}

type bone struct {
	before  []byte // fixed text, with the opening quote of a string
	content []byte // the string itself where it is fixed: the event's type
	kind    tokenKind
	name    fieldName // fieldCount: an attribute or an unknown field
	index   int       // of an allowed attribute, else -1
}

// match fills the fields from a record that has a known form.
func (k *skeletons) match(b []byte, f *fields) bool {
	for i, s := range k.list {
		if s == nil {
			return false
		}
		if s.match(b, f) {
			if i > 0 {
				k.list[i], k.list[i-1] = k.list[i-1], s
			}
			return true
		}
	}
	return false
}

func (s *skeleton) match(b []byte, f *fields) bool {
	f.reset(b)
	i := 0
	for n := range s.steps {
		step := &s.steps[n]
		if !hasAt(b, i, step.before) {
			return false
		}
		i += len(step.before)
		t := token{kind: step.kind, at: uint32(i), from: uint32(i)}
		var end int
		switch {
		case step.kind == numeral:
			end = numberEnd(b, i)
		case step.content == nil:
			end = stringEnd(b, i)
		case hasAt(b, i, step.content):
			end = i + len(step.content)
		default:
			return false
		}
		if end < 0 {
			return false
		}
		if t.to, i = uint32(end), end; step.kind == text {
			t.at--
		}
		if step.index >= 0 {
			f.insert(attribute{step.index, t})
		} else if step.name != fieldCount {
			f.tokens[step.name] = t
		}
	}
	return string(b[i:]) == string(s.tail)
}

func hasAt(b []byte, i int, part []byte) bool {
	return len(b)-i >= len(part) && string(b[i:i+len(part)]) == string(part)
}

// learn returns an empty skeleton now and then: a topic in which no two records
// look alike must not pay for each.
func (k *skeletons) learn() *skeleton {
	if k.misses++; k.misses%64 > uint(len(k.list)) {
		return nil
	}
	return &skeleton{}
}

// keep takes in a skeleton that has been taken down of the record b, in the place
// of the one that was of use last. It is always true.
func (k *skeletons) keep(s *skeleton, b []byte) bool {
	if s != nil && !s.unfit {
		s.tail = append(s.tail, b[s.behind:]...)
		copy(k.list[1:], k.list[:])
		k.list[0] = s
	}
	return true
}

// add takes down the value t. On nil it does nothing.
func (s *skeleton) add(b []byte, t token, name fieldName, index int) {
	if s == nil {
		return
	}
	if t.kind != text && t.kind != numeral {
		s.unfit = true
		return
	}
	step := bone{before: append([]byte(nil), b[s.behind:t.from]...), kind: t.kind, name: name, index: index}
	if s.behind = int(t.to); name == fieldType {
		step.content = append([]byte{}, b[t.from:t.to]...)
	}
	s.steps = append(s.steps, step)
}
