package pages

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/internal/experiment"
	"github.com/assay-dev/assay/internal/planning"
	"github.com/assay-dev/assay/internal/results"
	"github.com/assay-dev/assay/internal/words"
)

// planned is the page of the power planner.
type planned struct {
	Experiments []string
	Query       planQuery
	Answers     []answer
	Missing     []planning.Missing
	Fault       string
}

// planQuery is what was filled in, as it was.
type planQuery struct {
	From                                      string // an experiment whose variances are taken; "": own numbers
	Kind, Mean, SD, Lift, Power, PerDay, Days string
	Treated, Looks                            string
}

// answer is what one metric can find, in words first.
type answer struct {
	planning.Answer
	Text    string
	Methods []method
}

// method is one way of looking.
type method struct {
	Name, Units, Expected, Days, Detectable, Power string
}

func (p *Pages) planner(w http.ResponseWriter, r *http.Request) error {
	rows, err := p.cfg.Reader.Rows(r.Context())
	if err != nil {
		return err
	}
	v := r.URL.Query()
	get := func(name, usual string) string {
		if x := strings.TrimSpace(v.Get(name)); x != "" {
			return x
		}
		return usual
	}
	body := planned{Query: planQuery{
		From: v.Get("from"), Kind: get("kind", "share"), Mean: get("mean", ""), SD: get("sd", ""), Lift: get("lift", "5"),
		Power: get("power", "80"), PerDay: get("per_day", ""), Days: get("days", "7"), Treated: get("treated", "50"), Looks: get("looks", ""),
	}}
	for i := range rows {
		body.Experiments = append(body.Experiments, rows[i].Key)
	}
	if body.Query.From != "" || body.Query.Mean != "" {
		var wrong problem
		if err := p.plan(r, &body); errors.As(err, &wrong) {
			body.Fault = string(wrong)
		} else if err != nil {
			return err
		}
	}
	return p.show(w, r, http.StatusOK, "planner", page{Title: "Power planner", Nav: "planner", Body: body})
}

// problem is what is wrong with what was filled in.
type problem string

func (p problem) Error() string { return string(p) }

// plan answers.
func (p *Pages) plan(r *http.Request, body *planned) error {
	q, perDay, err := body.Query.question()
	if err != nil {
		return err
	}
	if body.Query.From == "" {
		c, err := body.Query.comparison(perDay)
		if err != nil {
			return err
		}
		return p.answer(r, body, []planning.Comparison{c}, q)
	}
	d, err := p.cfg.Reader.Detail(r.Context(), body.Query.From, 0)
	if err != nil {
		return err
	}
	if d.Document == nil {
		return problem("Nobody has looked at " + body.Query.From + " yet: there are no variances to plan with.")
	}
	comparisons := planning.FromLook(d.Experiment, d.Iteration, d.Document, perDay)
	body.Missing = planning.MissingOf(d.Iteration, comparisons, true)
	return p.answer(r, body, comparisons, q)
}

func (p *Pages) answer(r *http.Request, body *planned, comparisons []planning.Comparison, q planning.Question) error {
	answers, err := p.cfg.Planner.Plan(r.Context(), comparisons, q)
	if errors.Is(err, planning.ErrLate) {
		return problem("That takes too long, or others plan: ask without dated looks, or again in a while.")
	}
	for _, a := range answers {
		body.Answers = append(body.Answers, answerOf(a))
	}
	return err
}

// question reads what is asked of every metric.
func (q *planQuery) question() (out planning.Question, perDay float64, err error) {
	if out.Lift, err = within("The effect to be found", q.Lift, 1000); err != nil {
		return out, 0, err
	}
	if out.Power, err = within("The chance to find it", q.Power, 100); err != nil {
		return out, 0, err
	}
	if q.Looks != "" {
		n, err := strconv.Atoi(q.Looks)
		if err != nil || n < 1 || n > experiment.MaxLooks {
			return out, 0, problem(fmt.Sprintf("Dated looks are a number from 1 to %d.", experiment.MaxLooks))
		}
		out.Looks = n
	}
	if q.PerDay != "" {
		if perDay, err = strconv.ParseFloat(q.PerDay, 64); err != nil || !(perDay > 0) || math.IsInf(perDay, 0) {
			return out, 0, problem("New units a day are a number above 0.")
		}
	}
	out.Lift, out.Power = out.Lift/100, out.Power/100
	return out, perDay, nil
}

// comparison is one metric by the reader's own numbers.
func (q *planQuery) comparison(perDay float64) (planning.Comparison, error) {
	c := planning.Comparison{Metric: "your metric", Arm: "treatment", Kind: string(experiment.Mean), Alpha: .05, PerDay: perDay, Basis: "your numbers", SD: math.NaN()}
	treated, err := within("The treatment's part of the units", q.Treated, 100)
	if err != nil {
		return c, err
	}
	c.Share = treated / 100
	if c.Window, err = strconv.ParseFloat(q.Days, 64); err != nil || !(c.Window >= 0 && c.Window <= 3650) {
		return c, problem("The window is a number of days.")
	}
	if q.Kind != "mean" {
		c.Kind, c.Binary = string(experiment.Proportion), true
		mean, err := within("The control's share of units", q.Mean, 100)
		c.Mean = mean / 100
		return c, err
	}
	if c.Mean, err = strconv.ParseFloat(q.Mean, 64); err != nil || c.Mean == 0 || math.IsInf(c.Mean, 0) || math.IsNaN(c.Mean) {
		return c, problem("The control's mean is a number other than 0.")
	}
	if c.SD, err = strconv.ParseFloat(q.SD, 64); err != nil || !(c.SD > 0) || math.IsInf(c.SD, 0) {
		return c, problem("One unit's standard deviation is a number above 0, over all exposed units, those with 0 too.")
	}
	return c, nil
}

// within reads a percentage between 0 and an end.
func within(what, text string, high float64) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(x > 0 && x < high) {
		return 0, problem(fmt.Sprintf("%s is a percentage above 0 and below %v.", what, high))
	}
	return x, nil
}

func answerOf(a planning.Answer) answer {
	out := answer{Answer: a}
	add := func(name string, m planning.Method) {
		out.Methods = append(out.Methods, method{name, units(m.Size), units(m.Expected), days(m.Days), words.Percent(m.Detectable), words.Share(m.PlanPower)})
	}
	add("one look at the end", a.Fixed)
	add("looking always", a.Sequential)
	if a.Group != nil {
		add(fmt.Sprintf("%d dated looks", a.Looks), *a.Group)
	}
	size := a.Sequential.Size
	switch {
	case !size.Known():
		out.Text = "There is nothing to plan with: a mean and a deviation are needed."
	case a.PerDay > 0:
		out.Text = fmt.Sprintf("%s units, about %s, looking whenever you like; on average it is shown after %s.", units(size), days(a.Sequential.Days), days(a.Sequential.ExpectedDays))
	default:
		out.Text = fmt.Sprintf("%s units of both arms, looking whenever you like; on average it is shown after %s.", units(size), units(a.Sequential.Expected))
	}
	return out
}

func units(n results.Number) string {
	if !n.Known() || n > 1e15 {
		return words.Unknown
	}
	return words.Count(int64(math.Ceil(n.Float())))
}

func days(n results.Number) string {
	if !n.Known() || n > 1e6 {
		return words.Unknown
	}
	return fmt.Sprintf("%s days", words.Fixed(results.Number(math.Ceil(n.Float())), 0))
}
