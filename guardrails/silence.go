package guardrails

// after moves the marks to the units of the next look. A phase of its own
// starts afresh, and so does an arm whose count moved at all: units move
// between arms too, when an earlier first exposure arrives.
func (m ArmMarks) after(now PhaseUnits) ArmMarks {
	if now.Phase == 0 || !(now.Share > 0 && now.Share < 1) {
		return ArmMarks{}
	}
	if m.Phase != now.Phase {
		// Nothing was seen of this phase before: count from its beginning if an
		// arm is still empty, else from here.
		m = ArmMarks{Phase: now.Phase, Treatment: now.Treatment, Control: now.Control}
		if now.Treatment > 0 {
			m.TreatmentMark = now.Control
		}
		if now.Control > 0 {
			m.ControlMark = now.Treatment
		}
		return m
	}
	if now.Treatment != m.Treatment {
		m.TreatmentMark = now.Control
	}
	if now.Control != m.Control {
		m.ControlMark = now.Treatment
	}
	m.Treatment, m.Control = now.Treatment, now.Control
	return m
}

// silentArm tells whether one arm got no unit while the other got so many that,
// by the shares, it was expected to get at least twenty.
func (j *judge) silentArm() (arm string, expected float64, silent bool) {
	now := j.obs.Current
	m := j.state.Arms.after(now)
	if m.Phase == 0 {
		return "", 0, false
	}
	// The other arm's units since then are all there were; the silent arm was
	// due its share of them.
	treatment := float64(now.Control-m.TreatmentMark) * now.Share
	control := float64(now.Treatment-m.ControlMark) * (1 - now.Share)
	switch {
	case treatment >= silentArmUnits:
		return j.rule.Arm, treatment, true
	case control >= silentArmUnits:
		return j.rule.Control, control, true
	}
	return "", 0, false
}
