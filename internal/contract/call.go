package contract

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
)

// Reader makes values of any type out of a fuzzer's bytes; behind their end it goes on
// with zeros.
type Reader struct {
	Bytes []byte
	// Words are the strings that mean something to the functions.
	Words []string
}

func (r *Reader) byte() byte {
	if len(r.Bytes) == 0 {
		return 0
	}
	b := r.Bytes[0]
	r.Bytes = r.Bytes[1:]
	return b
}

func (r *Reader) bits() uint64 {
	var b [8]byte
	r.Bytes = r.Bytes[copy(b[:], r.Bytes):]
	return binary.LittleEndian.Uint64(b[:])
}

// Call calls a function with arguments that the bytes stand for.
func (r *Reader) Call(f any) []reflect.Value {
	v := reflect.ValueOf(f)
	args := make([]reflect.Value, v.Type().NumIn())
	for i := range args {
		args[i] = r.value(v.Type().In(i))
	}
	return v.Call(args)
}

// Pick chooses one of a number of things.
func (r *Reader) Pick(n int) int { return int(r.byte()) % n }

// numbers at which formulas break.
func numbers() []float64 {
	return []float64{
		0, 1, -1, 0.5, 0.05, 2, 10, 100, 1e4, 1e-3, -0.5, 0.95, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1),
		5e-324, 1e-300, 1e-160, 1e-20, 1e20, 1e160, 1e300, math.MaxFloat64, -math.MaxFloat64, 1 - 0x1p-53, 1 + 0x1p-52, 0x1p53,
	}
}

func (r *Reader) float() float64 {
	switch k := r.byte(); k % 4 {
	case 0:
		return float64(int8(r.byte()))
	case 1:
		return (float64(r.byte()) + 0.5) / 256
	case 2:
		all := numbers()
		return all[r.Pick(len(all))]
	}
	return math.Float64frombits(r.bits())
}

func (r *Reader) int() int64 {
	switch r.byte() % 4 {
	case 0:
		return int64(r.byte())
	case 1:
		return int64(int8(r.byte()))
	case 2:
		return int64(1) << (r.byte() % 64)
	}
	return int64(r.bits())
}

// integer is nil, an ordinary number, or one of some thousand bits.
func (r *Reader) integer() *big.Int {
	switch r.byte() % 8 {
	case 0:
		return nil
	case 1:
		return new(big.Int).Lsh(big.NewInt(r.int()), 16*uint(r.byte()))
	}
	return big.NewInt(r.int())
}

func (r *Reader) value(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if t == reflect.TypeFor[*big.Int]() {
		return reflect.ValueOf(r.integer())
	}
	switch t.Kind() {
	case reflect.Float64:
		v.SetFloat(r.float())
	case reflect.Int, reflect.Int64:
		v.SetInt(r.int())
	case reflect.Bool:
		v.SetBool(r.byte()%2 == 1)
	case reflect.String:
		if k := r.Pick(len(r.Words) + 1); k < len(r.Words) {
			v.SetString(r.Words[k])
		}
	case reflect.Slice:
		r.slice(v)
	case reflect.Array:
		for i := range t.Len() {
			v.Index(i).Set(r.value(t.Elem()))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if v.Field(i).CanSet() {
				v.Field(i).Set(r.value(t.Field(i).Type))
			}
		}
	case reflect.Pointer:
		if r.byte()%4 != 0 {
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(r.value(t.Elem()))
		}
	case reflect.Func:
		if r.byte()%4 != 0 { // gives the same whatever it is asked
			v.Set(reflect.MakeFunc(t, r.constant(t)))
		}
	default:
		panic(fmt.Sprintf("contract: no values of %v", t))
	}
	return v
}

func (r *Reader) constant(t reflect.Type) func([]reflect.Value) []reflect.Value {
	out := make([]reflect.Value, t.NumOut())
	for i := range out {
		out[i] = r.value(t.Out(i))
	}
	return func([]reflect.Value) []reflect.Value { return slices.Clone(out) }
}

// slice is nil, or has up to six elements.
func (r *Reader) slice(v reflect.Value) {
	n := int(r.byte() % 8)
	if n == 7 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		v.Index(i).Set(r.value(v.Type().Elem()))
	}
}
