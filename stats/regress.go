package stats

import "math"

// Errors names an estimator of a least-squares coefficient's variance.
type Errors string

// The estimators: one common variance of all residuals, or each residual for
// itself (White 1980; MacKinnon & White 1985). HC2 divides a squared residual by
// 1 − leverage, which makes it Welch's error where there is no covariate; HC3 by
// its square, which is cautious with few units.
const (
	Classic Errors = "classic"
	HC0     Errors = "HC0"
	HC1     Errors = "HC1"
	HC2     Errors = "HC2"
	HC3     Errors = "HC3"
)

// Regression is a least-squares fit of y on columns.
type Regression struct {
	// Coefficients are in the order of the columns. A column that the ones before
	// it determine has the coefficient 0; a regression without basis has NaNs.
	Coefficients []float64
	N            int
	Rank         int // columns that are not determined by others

	columns   [][]float64
	residuals []float64
	inverse   [][]float64 // of XᵀX, in the columns that count
}

// Regress fits y = Σ coefficient·column by least squares, (XᵀX)⁻¹Xᵀy (Gauss 1809). Every
// column must be as long as y; an intercept is a column of ones. Values that are not
// finite or whose squares overflow, columns of other lengths, none at all and fewer rows
// than columns give a regression without basis: its coefficients are NaN and their errors
// unknown.
func Regress(y []float64, columns [][]float64) Regression {
	r := Regression{N: len(y), columns: columns, Coefficients: make([]float64, len(columns))}
	if !rectangular(y, columns) {
		for i := range r.Coefficients {
			r.Coefficients[i] = math.NaN()
		}
		return r
	}
	right := make([]float64, len(columns))
	r.inverse = make([][]float64, len(columns))
	for i, a := range columns {
		right[i] = dot(a, y)
		r.inverse[i] = make([]float64, len(columns))
		for k, b := range columns {
			r.inverse[i][k] = dot(a, b)
		}
	}
	r.Rank = invert(r.inverse)
	r.Coefficients = times(r.inverse, right)
	r.residuals = make([]float64, len(y))
	for row := range y {
		r.residuals[row] = y[row]
		for i, c := range columns {
			r.residuals[row] -= r.Coefficients[i] * c[row]
		}
	}
	return r
}

func rectangular(y []float64, columns [][]float64) bool {
	if len(columns) == 0 || len(y) < len(columns) || !finite(y) {
		return false
	}
	for _, c := range columns {
		if len(c) != len(y) || !finite(c) {
			return false
		}
	}
	return true
}

func finite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// Coefficient is one coefficient with its error and n − rank degrees of freedom (White
// 1980; MacKinnon & White 1985): √(Σ influence²·residual²·weight), or the common variance
// for Classic. Without these, or with an unknown name of an error, the error is NaN; so
// is the coefficient where there is none. With residuals of zero the error is 0, and
// intervals claim nothing.
func (r Regression) Coefficient(i int, errors Errors) Estimate {
	out := Estimate{Value: math.NaN(), StdError: math.NaN(), DoF: float64(r.N - r.Rank)}
	if i < 0 || i >= len(r.Coefficients) {
		return out
	}
	out.Value = r.Coefficients[i]
	if r.residuals == nil || r.Rank >= r.N || !(r.inverse[i][i] > 0) {
		return out
	}
	sum := 0.0
	for row, residual := range r.residuals {
		influence, leverage := 0.0, 0.0
		for k, c := range r.columns {
			influence += r.inverse[i][k] * c[row]
			for l, d := range r.columns {
				leverage += c[row] * r.inverse[k][l] * d[row]
			}
		}
		if errors == Classic { // one variance for all, and Σ influence² is the inverse's diagonal
			sum += residual * residual * r.inverse[i][i] / out.DoF
			continue
		}
		sum += residual * residual * influence * influence * r.weight(errors, 1-leverage)
	}
	out.StdError = math.Sqrt(sum)
	return out
}

// weight is by how much a squared residual is enlarged. A row whose fit follows
// its value (no slack) has a residual of zero and adds nothing.
func (r Regression) weight(errors Errors, slack float64) float64 {
	if slack < 1e-12 && (errors == HC2 || errors == HC3) {
		return 0
	}
	switch errors {
	case HC0:
		return 1
	case HC1:
		return float64(r.N) / float64(r.N-r.Rank)
	case HC2:
		return 1 / slack
	case HC3:
		return 1 / (slack * slack)
	default:
		return math.NaN()
	}
}

// Interact says whether each arm has slopes of its own.
type Interact bool

// One slope for both arms (analysis of covariance), or one an arm (Lin 2013), which
// never loses asymptotically, also at unequal shares.
const (
	SharedSlopes Interact = false
	OwnSlopes    Interact = true
)

// RegressEffect is the regression of y on the treatment and covariates, which are
// centred at their mean over all rows: the coefficients are the control's mean at
// the average covariate, the effect, the covariates' slopes and, with OwnSlopes,
// by how much the treatment's slopes differ. Coefficient(1, HC2) is the effect.
//
// Covariates must have been measured before the first exposure. The effect is that
// of these units (the average treatment effect); its error is asymptotic (Lin 2013). What
// has no basis in Regress has none here, its coefficients are NaN.
func RegressEffect(y []float64, treated []bool, covariates [][]float64, slopes Interact) Regression {
	n := len(y)
	if len(treated) != n {
		return Regress(y, [][]float64{nil, nil})
	}
	ones, treatment := make([]float64, n), make([]float64, n)
	for i := range y {
		ones[i] = 1
		if treated[i] {
			treatment[i] = 1
		}
	}
	columns := [][]float64{ones, treatment}
	for _, x := range covariates {
		columns = append(columns, centred(x))
	}
	if slopes == OwnSlopes {
		for _, x := range columns[2:] {
			columns = append(columns, product(x, treatment))
		}
	}
	return Regress(y, columns)
}

func centred(x []float64) []float64 {
	mean := 0.0
	for i, v := range x {
		mean += (v - mean) / float64(i+1)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v - mean
	}
	return out
}

// product is as long as a; where b is shorter there is nothing to multiply.
func product(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range min(len(a), len(b)) {
		out[i] = a[i] * b[i]
	}
	return out
}
