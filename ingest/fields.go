package ingest

// fieldName is one of the fields that the native events have.
type fieldName uint8

const (
	fieldType fieldName = iota
	fieldID
	fieldTS
	fieldUnit
	fieldUnitKind
	fieldExperiment
	fieldVariant
	fieldEvent
	fieldValue
	fieldAttrs
	fieldSample
	fieldConsent
	fieldCount
)

// fieldNamed returns fieldCount for every other name: unknown fields are ignored.
func fieldNamed(name []byte) fieldName {
	switch string(name) {
	case "type":
		return fieldType
	case "id":
		return fieldID
	case "ts":
		return fieldTS
	case "unit":
		return fieldUnit
	case "unit_kind":
		return fieldUnitKind
	case "experiment":
		return fieldExperiment
	case "variant":
		return fieldVariant
	case "event":
		return fieldEvent
	case "value":
		return fieldValue
	case "attrs":
		return fieldAttrs
	case "sample":
		return fieldSample
	case "consent":
		return fieldConsent
	default:
		return fieldCount
	}
}

// tokenKind is the JSON type of a token; the zero value says that it is absent.
type tokenKind uint8

const (
	absent tokenKind = iota
	null
	text
	numeral
	boolean
	object
	array
)

// token is one JSON value: where a string's content (without quotes and escapes)
// or the literal of a number or boolean lies in fields.source. Offsets instead of
// slices keep the garbage collector and its write barriers out of the scanner.
type token struct {
	kind     tokenKind
	at       uint32 // offset of its first byte in the record's value
	from, to uint32 // of its text in fields.source
}

// attribute is an allowed attribute as it stands in the record.
type attribute struct {
	index int // in the decoder's sorted allow-list
	token
}

// fields is a record taken apart, before anything is judged. Both scanners fill
// it; everything after it is common to them.
type fields struct {
	source []byte // the record's value, or what the fallback has unescaped
	tokens [fieldCount]token
	attrs  []attribute // sorted by index
}

func (f *fields) reset(source []byte) {
	f.source = source
	f.tokens = [fieldCount]token{}
	f.attrs = f.attrs[:0]
}

func (f *fields) text(t *token) []byte { return f.source[t.from:t.to] }

// insert keeps the attributes sorted; false when that one is there already.
func (f *fields) insert(a attribute) bool {
	i := len(f.attrs)
	for i > 0 && f.attrs[i-1].index > a.index {
		i--
	}
	if i > 0 && f.attrs[i-1].index == a.index {
		return false
	}
	f.attrs = append(f.attrs, attribute{})
	copy(f.attrs[i+1:], f.attrs[i:])
	f.attrs[i] = a
	return true
}
