package report

// term is a word of the report and what it means.
type term struct{ Word, Text string }

// glossary is for who has never read such a report.
func glossary() []term {
	return []term{
		{"Effect", "how much more or less of a metric the arm has than the control, in percent of the control. Here it is an estimate: with other people it would have come out a little different."},
		{"Interval", "the effects that fit what was seen so far. Where all of it is on one side of 0, there is an effect, and the interval says how large it can be. Where 0 is in it, nothing is shown yet: that is not “no effect”."},
		{"Valid at every look", "it may be read today, tomorrow and every hour. An interval for one look is narrower, and right only if this look and no other was planned; looked at again and again it finds effects that are not there."},
		{"p", "how often events at least this telling would come up if the arm changed nothing. It says no more than the interval does: it is small, below 5 % unless the file says otherwise, exactly where the interval leaves out 0."},
		{"So far, complete windows", "a unit’s outcomes are counted for a while after it came in. Decide by units whose time is over."},
		{"Unit", "what is assigned to an arm: a user, a device, a session."},
		{"Guardrail", "a metric that must not get worse. Healthy: harm beyond the margin is ruled out; breached: it is shown; inconclusive: neither yet; blind: the events are missing, so nothing is said."},
		{"Split", "whether as many units are in each arm as should be. If it is broken, nothing else on the page is to be believed."},
		{"Ship, stop, keep running, can’t tell", "what the file’s own rules make of the numbers: ship when it is better and every guardrail is shown to be healthy; stop when it does harm; can’t tell when something stands in the way of any answer."},
	}
}
