package catalog

// Missing says that what was asked for is not there.
type Missing struct {
	What string // such as: experiment checkout-cta
	Hint string // what there is instead, or where to look
}

// Error implements error.
func (m *Missing) Error() string { return "there is no " + m.What }
