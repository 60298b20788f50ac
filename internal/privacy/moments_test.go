package privacy

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func row(variant, value string, n int64, sum *big.Int) string {
	return fmt.Sprintf(`{"experiment":"cta","iteration":1,"phase":1,"settling":false,"variant":%q,"metric":"spend","dimension":"country","value":%q,"n":"%d","nonzero":"0","over":"0",`+
		`"sum":"%s","sum_squares":"%s","newest":"2026-03-0%d 12:00:00.000","sum_denominator":"0","sum_squares_denominator":"0","sum_product":"0"}`+"\n",
		variant, value, n, sum, new(big.Int).Mul(sum, sum), n%9+1)
}

// TestRegionsAddUp: whatever the cells are spread over regions, their sum is that of one
// ledger, also beyond 64 bits.
func TestRegionsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n, sum, squares := map[string]int64{}, map[string]*big.Int{}, map[string]*big.Int{}
	all := NewMoments()
	for range 3 {
		var text strings.Builder
		for _, variant := range []string{"control", "treatment"} {
			for _, value := range []string{"DE", "FR"} {
				if r.IntN(4) == 0 {
					continue // this region has none, or left it out
				}
				units, y := r.Int64N(1000), new(big.Int).Lsh(big.NewInt(r.Int64()), 40)
				text.WriteString(row(variant, value, units, y))
				key := variant + value
				if sum[key] == nil {
					sum[key], squares[key] = new(big.Int), new(big.Int)
				}
				n[key] += units
				sum[key].Add(sum[key], y)
				squares[key].Add(squares[key], new(big.Int).Mul(y, y))
			}
		}
		if err := all.Read(strings.NewReader(text.String())); err != nil {
			t.Fatal(err)
		}
	}
	rows := all.Rows()
	if len(rows) != len(sum) || len(rows) < 3 {
		t.Fatalf("%d cells, want %d", len(rows), len(sum))
	}
	for _, got := range rows {
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var cell struct {
			Variant, Value, N, Sum string
			Squares                string `json:"sum_squares"`
		}
		if err := json.Unmarshal(b, &cell); err != nil {
			t.Fatal(err)
		}
		key := cell.Variant + cell.Value
		if cell.N != fmt.Sprint(n[key]) || cell.Sum != sum[key].String() || cell.Squares != squares[key].String() {
			t.Errorf("%s: %s, want %d %s %s", key, b, n[key], sum[key], squares[key])
		}
		if err := NewMoments().Read(strings.NewReader(string(b))); err != nil {
			t.Errorf("what is written cannot be read: %v", err)
		}
	}
}

// TestMomentsRefused: what is not one region's export gives no sum.
func TestMomentsRefused(t *testing.T) {
	good := row("control", "DE", 3, big.NewInt(4))
	for text, want := range map[string]string{
		"":                                     "no row",
		"x\n":                                  "line 1: not a JSON object",
		`{"n":1}` + "\n":                       `no field "experiment"`,
		good + good:                            "line 2: the cell",
		strings.Replace(good, `"4"`, `"x"`, 1): "sum is not a whole number",
		strings.Replace(good, `"4"`, `4.5`, 1): "sum is not a whole number",
	} {
		if err := NewMoments().Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
